"""One sentence a measure, worded by the kind of its signal: what is known, the points it gives, and what they bring."""

from collections.abc import Callable

from health_score.application.words_numbers import day, figure, percent
from health_score.domain.explanation import MeasureExplanation, Segment

_Reading = Callable[[str, float, str], str]
"""From the number in figures, the number, and the unit (with a space before it, or nothing)."""

_A_MOMENT = 0.001
"""In days: a minute and a half."""


def _days(number: float) -> str:
    told = figure(number)
    return f"{told} day" if told == "1" else f"{told} days"


_READINGS: dict[str, _Reading] = {
    "recency": lambda _, value, __: (
        f"the last was {_days(value)} ago" if value >= _A_MOMENT else "the last was just now"
    ),
    "until": lambda _, value, __: f"{_days(value)} to go" if value >= 0 else f"{_days(-value)} past",
    "count": lambda told, _, unit: f"{told}{unit} lately",
    "sum": lambda told, _, unit: f"{told}{unit} lately",
    "active_users": lambda told, _, unit: f"about {told}{unit or ' people'} lately",
    "mean": lambda told, _, unit: f"{told}{unit} on average",
    "trend": lambda told, _, __: f"{told} times the usual",
    "latest": lambda told, _, unit: f"last told as {told}{unit}",
    "open": lambda told, value, unit: f"{told}{unit} open" if value else "nothing open",
    "attainment": lambda _, value, __: f"{percent(value)} of the plan reached",
    "ratio": lambda told, _, unit: f"{told}{unit}",
}


def measure_sentence(measure: MeasureExplanation) -> str:
    """What the measure says."""
    if measure.value is None:
        return f"{measure.title}: {_unknown(measure)}{_spread(measure)}."
    unit = f" {measure.unit}" if measure.unit else ""
    reading = _READINGS[measure.kind](figure(measure.value), measure.value, unit)
    return f"{measure.title}: {reading}{_frozen(measure)}{_brings(measure)}."


def _brings(measure: MeasureExplanation) -> str:
    if measure.points is None or measure.share is None or measure.earned is None:
        return "; it is only watched and brings no points"
    most = figure(100.0 * measure.share)
    return (
        f"{_line(measure.segment)}: {figure(measure.points)} of 100 points,"
        f" which brings {figure(measure.earned)} of at most {most} points of the score"
    )


def _line(segment: Segment | None) -> str:
    """Between which knots the value lies."""
    if segment is None:
        return ""
    if segment.left is None or segment.right is None:
        [(at, points)] = [each for each in (segment.left, segment.right) if each is not None]
        side = f"from {figure(at)} on" if segment.right is None else f"up to {figure(at)}"
        return f" ({side}: {figure(points)} points)"
    (x0, y0), (x1, y1) = segment.left, segment.right
    return f" (between {figure(x0)} → {figure(y0)} points and {figure(x1)} → {figure(y1)} points)"


def _frozen(measure: MeasureExplanation) -> str:
    if measure.state != "frozen":
        return ""
    since = f" since {day(measure.since)}" if measure.since else ""
    return f" (it stands still: its source is silent for the whole fleet{since})"


def _unknown(measure: MeasureExplanation) -> str:
    if measure.state == "expired" and measure.since is not None:
        return f"what was known expired on {day(measure.since)}"
    if measure.state == "maturing" and measure.since is not None:
        return f"there is too little to go by before {day(measure.since)}"
    return "nothing is known"


def _spread(measure: MeasureExplanation) -> str:
    if measure.full_share == 0.0:
        return ""
    return f", so its {percent(measure.full_share)} of the score is spread over what is known"
