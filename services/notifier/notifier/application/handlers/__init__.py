"""One file per use case. Handlers work inside the transaction they are given; the edge opens it and commits."""
