"""How fast ingest is, beside the fastest program that could put the same bytes on the same broker."""
