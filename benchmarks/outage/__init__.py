"""What ingest does while no broker answers: how much memory it takes, and whether anything it promised is lost."""
