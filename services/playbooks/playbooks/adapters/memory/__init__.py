"""The ports in memory, a file a port: for simulations, for authors' tests, and for our own."""
