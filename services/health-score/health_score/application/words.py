"""An explanation in words: the verdict, a sentence a measure, the sum, what holds the score, what comes and what would help."""

from collections.abc import Iterator
from dataclasses import replace

from health_score.application.words_measures import measure_sentence
from health_score.application.words_numbers import day, figure, listed, percent
from health_score.domain.explanation import Explanation, Foreseen, KnockoutExplanation, Turn

_EXACT_UP_TO = 15
"""So many parts of three decimals sum to within a hundredth."""


def spoken(found: Explanation) -> Explanation:
    """The explanation with what each measure says."""
    dimensions = [
        replace(each, measures=tuple(replace(one, says=measure_sentence(one)) for one in each.measures))
        for each in found.dimensions
    ]
    return replace(found, dimensions=tuple(dimensions))


def told(found: Explanation) -> list[str]:
    """The paragraphs, of an explanation whose measures speak."""
    paragraphs = [
        _verdict(found),
        *_dimensions(found),
        _sum(found),
        " ".join(_held(found)),
        _coverage(found),
        " ".join(_thresholds(found)),
        _future(found.foreseen),
        _help(found),
    ]
    return [each for each in paragraphs if each]


def _verdict(found: Explanation) -> str:
    by = f"by the scorecard {found.scorecard}, version {found.version}, on {day(found.at)}"
    if found.score is None:
        return f"{found.account_id} has no score {by}: nothing is known of what it is judged by."
    until = "100" if found.band_below is None else f"under {figure(found.band_below)}"
    span = f"{figure(found.band_from or 0.0)} to {until}"
    return f"{found.account_id} stands at {figure(found.score, 2)} of 100, {found.band} ({span}), {by}."


def _dimensions(found: Explanation) -> Iterator[str]:
    for each in found.dimensions:
        most = figure(100.0 * each.share)
        brings = f"brings {figure(each.earned)} of at most {most} points" if each.share else "has no part"
        sentences = " ".join(measure.says for measure in each.measures)
        yield f"{each.name.replace('_', ' ').capitalize()} {brings}. {sentences}"


def _sum(found: Explanation) -> str:
    parts = [each.earned for each in found.measures if each.earned is not None]
    if found.computed is None:
        return ""
    digits = 3 if len(parts) <= _EXACT_UP_TO else 5
    return f"The sum: {' + '.join(figure(part, digits) for part in parts)} = {figure(found.computed)}."


def _held(found: Explanation) -> Iterator[str]:
    for each in found.knockouts:
        if each.in_force:
            yield _knockout(each)
    said = found.override
    if said is not None:
        what = f"the band {said.band}" if said.score is None else f"a score of {figure(said.score)}"
        who = said.by or "A person"
        yield f'{who} says {what} until {day(said.until)}, which counts instead: "{said.reason}".'
    elif found.overridden:
        yield "A person's word counted instead of the sum."


def _knockout(held: KnockoutExplanation) -> str:
    why = f" ({held.reason})" if held.reason else ""
    value = "" if held.value is None else f" at {figure(held.value)}"
    return (
        f"The knock-out {held.name}{why} is in force, since {held.target}{value} is {held.direction}"
        f" {figure(held.level)}: at most {held.band}, so {figure(held.highest)}; it costs {figure(held.cost)} points."
    )


def _coverage(found: Explanation) -> str:
    known = [each.full_share for each in found.measures if each.points is not None and each.full_share]
    if not known:
        return ""
    return f"Coverage: {' + '.join(map(percent, known))} = {percent(found.coverage)} of all weight is known."


def _thresholds(found: Explanation) -> Iterator[str]:
    for each in found.thresholds:
        if each.stands == "inside" and each.since is not None:
            yield f"{each.name} holds since {day(each.since)} and is left at {figure(each.level)}."
        elif each.stands == "dwelling" and each.enters_at is not None:
            yield f"{each.name} is entered on {day(each.enters_at)} if nothing changes before."


def _future(foreseen: Foreseen | None) -> str:
    if foreseen is None:
        return ""
    score = "" if foreseen.score is None else f", at a score of {figure(foreseen.score, 2)}"
    turns = listed([_turn(each) for each in foreseen.turns]) or "it is looked at again"
    return f"If nothing arrives, the next change comes on {day(foreseen.at)}{score}: {turns}."


def _turn(turn: Turn) -> str:
    name = f" {turn.name}" if turn.name else ""
    return f"{turn.kind}{name} from {turn.before} to {turn.after}"


def _help(found: Explanation) -> str:
    helps = found.helps_most
    if helps is None:
        return ""
    title = next(each.title for each in found.measures if each.name == helps.measure)
    told = f"{title} would help most: at {figure(helps.best_at)} it would add {figure(helps.gain)} points."
    if helps.next_band is None:
        return told
    if helps.next_band_at is None:
        return f"{told} By itself it does not reach {helps.next_band}."
    return f"{told} {helps.next_band.capitalize()} is reached at {figure(helps.next_band_at)}{_but(found)}."


def _but(found: Explanation) -> str:
    held = [each.name for each in found.knockouts if each.in_force]
    if found.overridden:
        return ", once the override has ended"
    return f", once {listed(held)} no longer holds it down" if held else ""
