"""From a message understood to the facts it becomes: CloudEvents about one account."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from ingest.application.accepted import Accepted
from ingest.application.examine import Examiner
from ingest.application.incoming import Draft, Incoming
from ingest.domain.decision import Rejected
from ingest.domain.people import renamed

_UNKNOWN = "?"  # an account in order, in place of the one that is not known yet


class Drafts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of a message that waits for its account, as they are kept."""

    source: str
    users: tuple[str, ...]
    drafts: tuple[Draft, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Drafts).decode


def kept(incoming: Incoming) -> bytes:
    """The facts of a message, to be kept until its account is known."""
    return _encode(kept_of(incoming))


def as_kept(drafts: bytes) -> Drafts:
    """What was kept."""
    return _decode(drafts)


def kept_of(incoming: Incoming) -> Drafts:
    """The same without the way over bytes."""
    return Drafts(source=incoming.source, users=incoming.users, drafts=incoming.drafts)


class Facts:
    """Makes facts and judges them."""

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner

    def problem(self, incoming: Incoming, now: datetime) -> Rejected | None:
        """What speaks against a message, whatever its account turns out to be."""
        if problem := self._examiner.plan_problem(incoming.source, incoming.name, incoming.properties, now):
            return problem
        account = incoming.account or incoming.joins or incoming.fallback or _UNKNOWN
        for draft in incoming.drafts:
            judged = self._examiner.judge(_event(incoming.source, draft, account, draft.data), now, {})
            if isinstance(judged, Rejected):
                return judged
        return None

    def of(
        self, drafts: Drafts, account: str, person: str | None, now: datetime
    ) -> Sequence[Accepted | Rejected]:
        """The facts about the account; `person` is the name that stands for whoever the message speaks of."""
        made = []
        for draft in drafts.drafts:
            data = renamed(draft.data, drafts.users, person) if person else draft.data
            made.append(self._examiner.judge(_event(drafts.source, draft, account, data), now, {}))
        return made


def _event(source: str, draft: Draft, account: str, data: dict[str, Any]) -> dict[str, Any]:
    event = {
        "specversion": "1.0",
        "id": draft.id,
        "source": source,
        "type": draft.type,
        "subject": account,
        "time": draft.time,
        "data": data,
    }
    return event | {"backfill": True} if draft.backfill else event
