"""HTTP as every service speaks it: problem documents, API keys, probes, limits, telemetry."""
