"""The chain behind a message in plain English, from the message back to the events."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from notifier.domain.notification import Status
from notifier.domain.reasons import Crossing, Fact
from notifier.domain.why import Chosen, Message, Moved, Ruled, Run, Why
from notifier.domain.wording import words

_LEAST_CHANGE = 0.005  # less would be told as nothing
_MOST_MEASURES = 5
_ERASED = "erased"

_CHANNELS = {
    "email": "email",
    "slack": "Slack message",
    "teams": "Teams message",
    "webhook": "webhook message",
}

_RECIPIENTS = {
    "owner_address": "the account's owner",
    "team": "the account's team",
    "team_inbox": "the inbox of our team",
    "endpoint": "an endpoint",
}

_RULINGS = {
    "send": "let it go",
    "hold": "held it back",
    "drop": "dropped it, since it wants no delay",
    "cap": "dropped it",
    "suppress": "kept it back for good",
}

_NOT_SENT = {
    Status.FAILED: "could not be delivered",
    Status.UNDELIVERABLE: "could be delivered to nobody",
    Status.EXPIRED: "expired",
    Status.CANCELLED: "was cancelled",
    Status.SUPPRESSED: "was kept back by the contact policy",
    Status.CAPPED: "was dropped by the contact policy",
    Status.DROPPED: "was dropped by the contact policy",
    Status.UNKNOWN: "may have gone out or not",
    Status.PENDING: "is about to be sent",
    Status.SENDING: "is being sent",
    Status.RETRY: "is tried again",
    Status.HELD: "is held back",
}

_CAUSES = {
    "timer": "It came of the passing of time: no new event was needed.",
    "model": "It came of a change of the scorecard, for which outreach was asked.",
    "source": "It came of a source that feeds all accounts.",
}


def with_words(why: Why) -> Why:
    """The same with its sentences, and those of its items."""
    told = replace(why, items=[with_words(each) for each in why.items])
    return replace(told, words=list(_sentences(told)))


def _sentences(why: Why) -> Iterator[str]:
    yield _became(why)
    yield from _chosen(why.recipient)
    yield from map(_ruled, why.policy)
    if why.erased:
        yield "What was said in it, and why, has been erased; the ids of what led to it are left."
    yield from _asked(why)
    if why.crossing is not None:
        yield _entered(why.crossing, told=why.run is not None and why.run.entered is not None)
        yield from _crossed(why.crossing, why.measures, why.facts)
    elif why.crossing_id is not None:
        yield f"The run began at crossing {why.crossing_id}, of which nothing more is known here."
        if why.facts:
            yield f"Behind it: {_listed([each.id for each in why.facts])}."
    for number, item in enumerate(why.items, start=1):
        yield from (f"{number}. {each}" for each in item.words)


def _became(why: Why) -> str:
    message = why.message
    what = _what(message)
    if message.status is Status.SENT:
        because = "" if why.run is None else f", because {_asking(why, why.run)}"
        return f"{_capital(_who(why.recipient))} got this {what}{_at(message.finished_at)}{because}."
    if message.status is Status.FOLDED:
        return f"This {what} is told together with others, in the digest {message.folded_into}."
    because = f": {message.reason}" if message.reason else ""
    until = _at(message.next_attempt_at, " until") if message.status is Status.HELD else ""
    return f"This {what}{_for(why.recipient)} {_NOT_SENT[message.status]}{until}{because}."


def _what(message: Message) -> str:
    channel = _CHANNELS.get(message.channel, message.channel)
    if message.kind == "test":
        return f"{channel}, a trial of the template {message.template},"
    if message.kind == "digest":
        return f"{channel}, a digest of several messages,"
    return f"{channel} about {message.account or message.account_id}"


def _for(chosen: Chosen | None) -> str:
    return "" if chosen is None or chosen.kind is None else f" for {_who(chosen)}"


def _who(chosen: Chosen | None) -> str:
    if chosen is None or chosen.kind is None:
        return "somebody"
    if chosen.kind == "contact":
        return chosen.name or f"contact {chosen.contact_id}"
    return _RECIPIENTS.get(chosen.kind, chosen.kind)


def _chosen(chosen: Chosen | None) -> Iterator[str]:
    if chosen is not None:
        begin = "Nobody could be reached, because of " if chosen.kind is None else "Chosen as "
        yield f"{begin}{chosen.why}."


def _ruled(ruled: Ruled) -> str:
    because = "" if ruled.reason == _ERASED else f": {ruled.reason}"
    if ruled.word == "replay":
        return f"On {_time(ruled.at)} it was replayed{because}."
    until = _at(ruled.until, " until") if ruled.word == "hold" else ""
    return f"On {_time(ruled.at)} the contact policy {_RULINGS.get(ruled.word, ruled.word)}{until}{because}."


def _asked(why: Why) -> Iterator[str]:
    run = why.run
    if run is None:
        return
    if why.message.status is not Status.SENT:
        yield f"{_capital(_asking(why, run))}."
    if why.steps_before:
        before = [f"{each.step} ({each.outcome}{_way(each.path)})" for each in why.steps_before]
        yield f"Before that it had taken {_listed(before)}."
    if run.started_at is not None and run.entered is not None:
        yield f"Its run {run.id} began on {_time(run.started_at)}: {run.entered}"
    else:
        yield f"Its run is {run.id}."


def _asking(why: Why, run: Run) -> str:
    version = "" if run.version is None else f" version {run.version}"
    named = f"“{run.title}” ({run.playbook}{version})" if run.title else f"{run.playbook}{version}"
    step = "" if why.step is None else f" at its step {why.step}"
    return f"the playbook {named} asked for it{step} on {_time(why.message.requested_at)}"


def _way(path: str | None) -> str:
    return f": {path}" if path else ""


def _entered(crossing: Crossing, *, told: bool) -> str:
    """When it was, and in full where the run has not told it."""
    at, by = _time(crossing.occurred_at), ""
    if crossing.scorecard is not None:
        version = "" if crossing.scorecard_version is None else f" {crossing.scorecard_version}"
        by = f", judged by the scorecard {crossing.scorecard}{version}"
    if told:
        return f"It was crossed on {at}{by}."
    moved = f"from {_number(crossing.before)} to {_number(crossing.after)}"
    return (
        f"On {at} {crossing.threshold} was {crossing.direction}: {words(crossing.target)} went {moved},"
        f" the level is {_number(crossing.level)}{by}."
    )


def _crossed(crossing: Crossing, measures: Sequence[Moved], facts: Sequence[Fact]) -> Iterator[str]:
    if crossing.band_before != crossing.band_after:
        yield f"The band went from {words(crossing.band_before)} to {words(crossing.band_after)}."
    seen = [each for each in measures if each.change is None or abs(each.change) >= _LEAST_CHANGE]
    if seen:
        told = [f"{words(each.measure)} ({_change(each)})" for each in seen[:_MOST_MEASURES]]
        yield f"What moved, in points of the score: {_listed(told)}."
    if facts:
        yield f"It came of {_listed([_fact(each) for each in facts])}."
    elif crossing.cause in _CAUSES:
        yield _CAUSES[crossing.cause]


def _change(moved: Moved) -> str:
    if moved.change is None:
        return f"{_number(moved.before)} to {_number(moved.after)}"
    sign = "+" if moved.change > 0 else "\N{MINUS SIGN}"
    return f"{sign}{_number(abs(moved.change))}, {_number(moved.before)} to {_number(moved.after)}"


def _fact(fact: Fact) -> str:
    at = f" of {_time(fact.occurred_at)}" if fact.occurred_at else ""
    return f"{fact.type}{at} ({fact.id})" if fact.type else fact.id


def _number(value: float | None) -> str:
    """Two decimals at most; `unknown` where there is no value."""
    if value is None:
        return "unknown"
    told = f"{value:,.2f}".rstrip("0").rstrip(".")
    return "0" if told == "-0" else told


def _time(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"


def _at(moment: datetime | None, preposition: str = " on") -> str:
    return "" if moment is None else f"{preposition} {_time(moment)}"


def _listed(told: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else "".join(told)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
