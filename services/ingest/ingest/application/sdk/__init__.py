"""Messages of analytics SDKs: out of their envelopes, into one vocabulary (Segment's), and by rules into facts.

body ──envelope──▶ Received ──segment | posthog──▶ call ──rules──▶ Incoming
"""
