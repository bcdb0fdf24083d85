"""Traces, metrics and logs: set up once per process, in `runtime.run`, before anything else speaks."""
