"""How fast the line is: facts through the scorer, and one POST to its crossing: `python -m benchmarks.line`."""
