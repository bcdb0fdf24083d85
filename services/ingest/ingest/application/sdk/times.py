"""When something happened, by our clock: what the sender's clock said, corrected by how wrong that clock is."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from csm_common.mapping.rejection import RejectedRowError, shown
from ingest.application.incoming import Received
from ingest.application.sdk.fields import Message, instant

SENT_AT = "sent_at"
"""The key in a message's context under which its envelope tells when it was sent."""

_UNTOLD = (None, "")


def happened_at(message: Message, received: Received) -> datetime:
    """`timestamp = received at − (sent at − timestamp)`, as Segment corrects it; the time of receipt where none is told."""
    said = (message.get("timestamp"), message.get("originalTimestamp"))
    told = next((each for each in said if each not in _UNTOLD), None)
    if told is None:
        return received.at
    time = instant(told)
    if time is None:
        raise _no_time(told, "expected a time as ISO 8601, such as 2026-03-02T09:00:00Z")
    skew = skew_of(message, received.context, received.at)
    try:
        return time - skew if skew else time
    except OverflowError as error:
        raise _no_time(told, "which is beyond all calendars") from error


def skew_of(message: Message, context: Mapping[str, str], at: datetime) -> timedelta | None:
    """How far the sender's clock is ahead of ours; None where neither the message nor its batch tells when it was sent."""
    sent = instant(message.get("sentAt")) or instant(context.get(SENT_AT))
    return sent - at if sent else None


def _no_time(told: object, why: str) -> RejectedRowError:
    return RejectedRowError("not_a_time", f"timestamp is {shown(told)}, {why}", column="timestamp")
