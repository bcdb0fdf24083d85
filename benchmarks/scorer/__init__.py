"""How fast the scorer is with everything in its transaction, what an account costs it, and how fast a peer does much less."""
