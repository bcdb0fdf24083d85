"""Drawing lots by name: the same name always draws the same, and nobody has to remember it."""

from collections.abc import Sequence
from hashlib import blake2b


def fraction(name: str) -> float:
    """0 ≤ x < 1, evenly spread over names."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest()[:7]) / 2**56


def draw(name: str, lots: Sequence[tuple[str, float]]) -> str:
    """One of the lots, each as likely as its weight."""
    at = fraction(name) * sum(weight for _, weight in lots)
    for lot, weight in lots:
        if at < weight:
            return lot
        at -= weight
    return lots[-1][0]
