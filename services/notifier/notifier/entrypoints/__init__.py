"""The doors: two topics, HTTP and the clock. They decode, open transactions and commit; the handlers do the work."""
