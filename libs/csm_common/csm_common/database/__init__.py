"""PostgreSQL: engine, transactions, migrations, positions and the outbox. Services share the server, never tables."""
