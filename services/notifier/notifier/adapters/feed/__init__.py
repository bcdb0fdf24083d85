"""The health change feed on PostgreSQL and in CEL."""
