"""The ports on PostgreSQL, a file a table."""
