"""PostgreSQL behind the application's ports: a handful of statements a batch, whatever its size."""
