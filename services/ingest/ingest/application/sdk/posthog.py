"""Events of PostHog's SDKs, brought into the form of Segment's calls."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from csm_common.mapping.rejection import RejectedRowError
from ingest.application.incoming import Incoming, Received
from ingest.application.reading import read_event
from ingest.application.sdk.calls import incoming_of
from ingest.application.sdk.fields import checked_name, object_in
from ingest.application.sdk.rules import Rules
from ingest.domain.decision import Rejected

FORMAT = "posthog"


class PosthogReader:
    """Reads events of `POST /batch/` and `/capture/`."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def __call__(self, received: Received) -> Incoming | Rejected:
        """The event understood, or why it is not taken. Pure: the same event is understood alike again."""
        event = read_event(received.body)
        if isinstance(event, Rejected):
            return event
        try:
            call = as_call(event, self._rules.account_groups)
            incoming = incoming_of(call, received, self._rules)
        except RejectedRowError as error:
            return Rejected(error.code, f"{error.message}.")
        # What group() is elsewhere, the groups of an event are here: PostHog has no other word for being in one.
        return replace(incoming, joins=incoming.account if incoming.users else None)


def as_call(event: dict[str, Any], account_groups: Sequence[str]) -> dict[str, Any]:
    """The event as a call. Properties that begin with $ are the SDK's own; what is needed of them is in the call."""
    properties = object_in(event, "properties")
    own = {name: value for name, value in properties.items() if not name.startswith("$")}
    call = {
        "messageId": event.get("uuid") or properties.get("$insert_id") or event.get("messageId"),
        "timestamp": event.get("timestamp"),
        "sentAt": event.get("sent_at"),
        "userId": event.get("distinct_id") or properties.get("distinct_id"),
        "context": {"groupId": _account(object_in(properties, "$groups"), account_groups)},
        "properties": own,
    }
    return call | _said(event, properties, account_groups)


def _said(event: dict[str, Any], properties: dict[str, Any], account_groups: Sequence[str]) -> dict[str, Any]:
    match event.get("event"):
        case "$identify" | "$set":
            traits = _person(properties) | _person(event)
            return {"type": "identify", "anonymousId": properties.get("$anon_distinct_id"), "traits": traits}
        case "$groupidentify":
            return _group(properties, account_groups)
        case "$create_alias":
            known_as = event.get("distinct_id") or properties.get("distinct_id")
            return {"type": "alias", "userId": properties.get("alias"), "previousId": known_as}
        case "$pageview":
            return {"type": "page"}
        case "$screen":
            return {"type": "screen", "name": properties.get("$screen_name")}
        case name:
            return {"type": "track", "event": name}


def _person(told: dict[str, Any]) -> dict[str, Any]:
    return object_in(told, "$set_once") | object_in(told, "$set")


def _group(properties: dict[str, Any], account_groups: Sequence[str]) -> dict[str, Any]:
    kind = checked_name(properties.get("$group_type"), "$group_type")
    account = {"groupId": properties.get("$group_key")} if kind in account_groups else {"groupType": kind}
    traits = object_in(properties, "$group_set")
    return {
        "type": "group",
        "userId": None,
        "traits": traits,
    } | account  # the distinct id of such an event is made up


def _account(groups: dict[str, Any], account_groups: Sequence[str]) -> object:
    return next((groups[kind] for kind in account_groups if groups.get(kind) is not None), None)
