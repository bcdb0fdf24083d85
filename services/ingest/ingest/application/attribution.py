"""Whom a message is about: decided once for each message, and the same for ever after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ingest.application.incoming import Incoming
from ingest.application.ports import Decision, Rejection
from ingest.domain.people import Circle


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A message, with the key that tells it from all others and a digest of what it says."""

    key: str
    digest: bytes
    incoming: Incoming


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`given` to an account now or before, `waits` from now on, is `waiting` already, or is in `conflict`: the same message
    said something else before. `person` is the name that stands for whoever it speaks of."""

    status: Literal["given", "waits", "waiting", "conflict"]
    account: str | None = None
    person: str | None = None
    new: bool = False


def speaks_of_people(incoming: Incoming) -> bool:
    """Whether names have to be looked up, or something is to be learned of them."""
    return bool(incoming.users) and (
        incoming.account is None or incoming.joins is not None or incoming.merges or len(incoming.users) > 1
    )


def attribute(
    asked: Sequence[Asked], circle: Circle, decisions: Mapping[str, Decision], held: Mapping[str, Rejection]
) -> list[Verdict]:
    """A verdict on each message, in their order; `circle` learns from them.

    A message that was judged before has told all that it tells, so it is judged and learned from once, also within a batch.
    A message may tell the account of one before it, so what is unknown is asked for again at the end.
    """
    said = {key: each.digest for key, each in held.items()}
    said |= {key: each.digest for key, each in decisions.items()}
    verdicts: dict[str, Verdict] = {}
    for each in asked:
        if said.setdefault(each.key, each.digest) == each.digest and each.key not in verdicts:
            verdicts[each.key] = _verdict(each, circle, decisions.get(each.key), each.key in held)
    return [
        _at_last(verdicts[each.key], circle) if said[each.key] == each.digest else Verdict(status="conflict")
        for each in asked
    ]


def _verdict(asked: Asked, circle: Circle, decision: Decision | None, is_held: bool) -> Verdict:
    if decision is not None:
        return Verdict(status="given", account=decision.account, person=decision.person)
    if is_held:
        return Verdict(status="waiting")
    incoming = asked.incoming
    person = circle.meet(incoming.users, merge=incoming.merges)
    if incoming.joins is not None:
        circle.join(person, incoming.joins, incoming.time)
    if not incoming.drafts:
        return Verdict(status="given", person=person)
    account = incoming.account or circle.account_of(person) or incoming.fallback
    return _of_new(account, person)


def _at_last(verdict: Verdict, circle: Circle) -> Verdict:
    """The verdict with what the rest of the batch told of the person."""
    if verdict.person is None or not (verdict.new or verdict.status == "waits"):
        return verdict
    person = circle.persons[verdict.person].name
    return _of_new(verdict.account or circle.account_of(person), person)


def _of_new(account: str | None, person: str) -> Verdict:
    if account is None:
        return Verdict(status="waits", person=person)
    return Verdict(status="given", account=account, person=person, new=True)
