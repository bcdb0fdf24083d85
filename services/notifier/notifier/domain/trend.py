"""The course of a score as bars: heights for mails, blocks for plain text. No image, for mail programs block those."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_BARS = 16
TALLEST = 72
"""Pixels; the score 100 is as tall as that."""

_SHORTEST = 3
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Bar:
    """A score as a bar of `height` pixels; `block` is the same as a character. The last one is `now`."""

    score: float
    height: int
    block: str
    now: bool


def bars(trend: Sequence[Mapping[str, Any]], most: int = MOST_BARS) -> list[Bar]:
    """At most `most` bars, spread evenly over the trend, the first and the last point among them. One point alone is no trend."""
    scores = [min(max(float(each["score"]), 0.0), 100.0) for each in trend]
    if len(scores) < 2:
        return []
    count = min(len(scores), max(most, 2))
    chosen = [scores[round(at * (len(scores) - 1) / (count - 1))] for at in range(count)]
    return [_bar(score, now=at == count - 1) for at, score in enumerate(chosen)]


def sparkline(trend: Sequence[Mapping[str, Any]], most: int = MOST_BARS) -> str:
    """The bars in one line of text."""
    return "".join(each.block for each in bars(trend, most))


def _bar(score: float, *, now: bool) -> Bar:
    height = max(_SHORTEST, round(score / 100 * TALLEST))
    return Bar(score, height, _BLOCKS[min(int(score / 100 * len(_BLOCKS)), len(_BLOCKS) - 1)], now)
