"""One file per way to people: each behind the port Channel."""
