"""The service's tables, each behind the port of its name."""
