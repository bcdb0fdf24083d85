"""The outside as the application's ports want it: PostgreSQL, YAML files, CEL."""
