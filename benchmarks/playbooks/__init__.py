"""How many runs playbooks starts a second, and how late waits end when many end at once."""
