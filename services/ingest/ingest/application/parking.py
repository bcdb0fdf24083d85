"""Rejections as they are kept: what is needed to list a message, to know it again, and to try it once more."""

import json
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b

import msgspec

from csm_common.ids import derived_id
from ingest.application.incoming import Incoming, Received
from ingest.application.ports import Rejection
from ingest.domain.decision import Rejected
from ingest.domain.names import storable

UNATTRIBUTED = "unattributed"

_WAITING = "Nothing tells yet which account {who} is in: send a group call, or the account with the event."
_LONGEST_REASON = 1_000
_LONGEST_NAME = 500
_encode = msgspec.json.Encoder(order="deterministic").encode


def message_key(source: str, id: str) -> str:
    """What tells a message from all others of all sources."""
    return derived_id("message", source, id)


def digest_of(incoming: Incoming) -> bytes:
    """A hash of what a message says, but for its times, which a sender may correct when it sends the message again; and not
    of the facts that it becomes, for these change with our mappings."""
    told = (incoming.name, incoming.properties, incoming.account, incoming.users)
    return _digest(_encode(told))


def rejection_of(received: Received, rejected: Rejected, incoming: Incoming | None) -> Rejection:
    """A message that is not taken; `incoming` is what it says, where it could be read."""
    digest = digest_of(incoming) if incoming else _digest(received.body)
    message_id = incoming.id if incoming else _claimed_id(received.body)
    message_id = storable(message_id, _LONGEST_NAME) if message_id else None
    key = message_key(received.source, message_id or digest.hex())
    return Rejection(
        id=derived_id("rejection", key, digest.hex()),
        message_key=key,
        message_id=message_id,
        source=storable(received.source, _LONGEST_NAME),
        format=received.format,
        code=rejected.code,
        reason=storable(rejected.message, _LONGEST_REASON),
        body=received.body,
        context={name: storable(value) for name, value in received.context.items()},
        received_at=received.at,
        listed_from=received.at,
        digest=digest,
    )


def held_message(
    received: Received, incoming: Incoming, person: str, drafts: bytes, listed_from: datetime
) -> Rejection:
    """A message that waits until it is known which account the person is in."""
    waiting = Rejected(UNATTRIBUTED, _WAITING.format(who=incoming.users[0]))
    rejection = rejection_of(received, waiting, incoming)
    return replace(
        rejection,
        id=derived_id("held", rejection.message_key, rejection.digest.hex()),
        person=person,
        drafts=drafts,
        listed_from=listed_from,
    )


def refused_now(held: Rejection, problem: Rejected) -> Rejection:
    """A message that waited, and is not in order now that its account is known."""
    return replace(
        held,
        id=derived_id("rejection", held.message_key, held.digest.hex()),
        code=problem.code,
        reason=storable(problem.message, _LONGEST_REASON),
        person=None,
        drafts=None,
        listed_from=held.received_at,
    )


def _digest(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def _claimed_id(body: bytes) -> str | None:
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    found = (message.get(name) for name in ("messageId", "id", "uuid"))
    return next((each for each in found if isinstance(each, str) and each), None)
