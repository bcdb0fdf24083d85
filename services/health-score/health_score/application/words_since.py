"""What changed since an earlier time, in words: the model's doing told apart from the customer's."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from health_score.application.explaining_ports import Change, Since
from health_score.application.words_numbers import day, figure, listed, signed
from health_score.domain.comparison import Moved
from health_score.domain.explanation import Explanation

_MOST = 5
_CAUSES = {
    "facts": "what was heard",
    "timer": "time alone",
    "model": "the change of the model",
    "source": "a source that fell silent or came back",
}


def since_sentences(now: Explanation, since: Since) -> list[str]:
    """The paragraphs."""
    before = since.before
    if before is None:
        began = "" if since.first_known_at is None else f"; that began on {day(since.first_known_at)}"
        return [f"Nothing was known of {now.account_id} on {day(since.asked)}{began}."]
    told = [_whole(before, since.asked, now), *_parts(now, since.measures)]
    return [" ".join(told), *_model(before, now, since)]


def _whole(before: Change, asked: datetime, now: Explanation) -> str:
    was = "no score" if before.score is None else f"{figure(before.score, 2)}, {before.band}"
    if before.score is None or now.score is None:
        return f"On {day(asked)} it had {was}."
    gone = now.score - before.score
    how = "has not moved" if abs(gone) < 0.005 else f"has moved by {signed(gone)} points"
    return f"Since {day(asked)} ({was}) the score {how}."


def _parts(now: Explanation, measures: Sequence[Moved]) -> Iterator[str]:
    titles = {each.name: each.title for each in now.measures}
    told = [
        f"{titles.get(each.name, each.name.replace('_', ' '))} {signed(each.moved)}"
        f" ({_part(each.part_before)} → {_part(each.part_after)})"
        for each in measures[:_MOST]
    ]
    if told:
        more = len(measures) - len(told)
        yield f"By measure, in points of the computed score: {listed(told)}" + (
            f", and {more} more that moved less." if more else "."
        )


def _part(part: float | None) -> str:
    return "none" if part is None else figure(part)


def _model(before: Change, now: Explanation, since: Since) -> Iterator[str]:
    causes = listed([f"{_CAUSES[cause]} {signed(points)}" for cause, points in since.by_cause.items()])
    if causes:
        yield f"By cause: {causes}."
    if not since.same_card:
        yield (
            f"Another model judges now: {before.scorecard} {before.version} did then, {now.scorecard} {now.version} does now,"
            " so parts that moved are not the customer's doing alone."
        )
