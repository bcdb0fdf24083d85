"""The doors: Kafka, the clock and HTTP call the same handlers."""
