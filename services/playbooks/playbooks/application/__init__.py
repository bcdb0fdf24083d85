"""The use cases: what crossings, the clock and readers ask of the playbooks, through ports alone."""
