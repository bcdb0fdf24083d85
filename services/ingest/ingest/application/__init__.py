"""From bytes to records on the log: reading, examining, publishing, and the answer only once they are durable."""
