"""Message templates: read and linted, kept in versions, and rendered in a process of their own."""
