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

    A message of the batch may tell the account of one before it, so what is unknown is asked for again at the end.
    """
    verdicts = [_verdict(each, circle, decisions.get(each.key), held.get(each.key)) for each in asked]
    return [_once_more(verdict, circle) for verdict in verdicts]


def _verdict(asked: Asked, circle: Circle, decision: Decision | None, held: Rejection | None) -> Verdict:
    before = decision or held
    if before is not None and before.digest != asked.digest:
        return Verdict(status="conflict")
    incoming = asked.incoming
    person = circle.meet(incoming.users, merge=incoming.merges)
    if incoming.joins is not None:
        circle.join(person, incoming.joins, incoming.time)
    if decision is not None:
        return Verdict(status="given", account=decision.account, person=decision.person)
    if held is not None:
        return Verdict(status="waiting", person=person)
    if not incoming.drafts:
        return Verdict(status="given", person=person)
    account = incoming.account or circle.account_of(person) or incoming.fallback
    if account is None:
        return Verdict(status="waits", person=person)
    return Verdict(status="given", account=account, person=person, new=True)


def _once_more(verdict: Verdict, circle: Circle) -> Verdict:
    if verdict.status != "waits" or verdict.person is None:
        return verdict
    person = circle.persons[verdict.person].name
    account = circle.account_of(person)
    if account is None:
        return Verdict(status="waits", person=person)
    return Verdict(status="given", account=account, person=person, new=True)
