"""Messages of Segment's SDKs and those made like them: RudderStack's, analytics.js, and plain HTTP."""

from typing import Any

from csm_common.mapping.rejection import RejectedRowError
from ingest.application.incoming import Incoming, Received
from ingest.application.reading import read_event
from ingest.application.sdk.calls import incoming_of
from ingest.application.sdk.fields import object_in
from ingest.application.sdk.rules import Rules
from ingest.domain.decision import Rejected

FORMAT = "segment"

KIND = "type"
SHARED_CONTEXT = "context"
"""Keys in a message's context: the call that its route stands for, and what its batch says of all its messages, as JSON."""


class SegmentReader:
    """Reads messages of `POST /v1/batch` and of the routes for single calls."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def __call__(self, received: Received) -> Incoming | Rejected:
        """The message understood, or why it is not taken. Pure: the same message is understood alike again."""
        message = read_event(received.body)
        if isinstance(message, Rejected):
            return message
        try:
            return incoming_of(_completed(message, received), received, self._rules)
        except RejectedRowError as error:
            return Rejected(error.code, f"{error.message}.")


def _completed(message: dict[str, Any], received: Received) -> dict[str, Any]:
    if kind := received.context.get(KIND):
        message = message | {"type": kind}
    if SHARED_CONTEXT in received.context:
        message = message | {"context": _shared(received) | object_in(message, "context")}
    return message


def _shared(received: Received) -> dict[str, Any]:
    shared = read_event(received.context[SHARED_CONTEXT].encode())
    if isinstance(shared, Rejected):
        raise RejectedRowError(shared.code, f"the batch's context cannot be read: {shared.message}")
    return shared
