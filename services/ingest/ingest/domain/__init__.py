"""What is taken and what is refused: pure rules over one event, given `now`, that return decisions."""
