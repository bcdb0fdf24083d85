"""What happens to a fact, in which order, inside which transaction."""
