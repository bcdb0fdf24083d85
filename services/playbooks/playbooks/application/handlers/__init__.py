"""One file per use case. Handlers write through the store they are given, or open transactions where the clock calls."""
