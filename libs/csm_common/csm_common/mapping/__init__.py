"""The mapping language: how rows of files, messages of SDKs and deliveries of webhooks become facts, in a few lines of YAML.

YAML ──language──▶ Value, Fact ──values, facts──▶ functions of a row ──▶ data of a fact, or RejectedRowError
"""
