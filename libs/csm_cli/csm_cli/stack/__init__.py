"""The embedded stack: PostgreSQL, a broker, the sinks and the services as children of one supervisor."""
