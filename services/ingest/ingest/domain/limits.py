"""How much a sender may send: a bucket that fills at a steady rate and is drained by what is taken."""

from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """`rate` a second flow in, up to `size`. Moments are in seconds of any clock that does not jump."""

    rate: float
    size: float
    level: float
    at: float

    def take(self, amount: int, now: float) -> float:
        """Take `amount` and return 0, or take nothing and return after how many seconds to ask again.

        A bucket that holds anything gives all that is asked for and owes the rest, so a large batch is not starved by small
        ones.
        """
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level <= 0:
            return (1 - self.level) / self.rate
        self.level -= amount
        return 0.0
