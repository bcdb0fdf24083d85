"""A call in the words of Segment's spec, whichever SDK made it, is understood: who, when, of which account, and what it tells."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from csm_common.ids import derived_id
from csm_common.mapping.rejection import RejectedRowError, shown
from ingest.application.incoming import Draft, Incoming, Received
from ingest.application.sdk.fields import Message, checked_name, name_in, object_in
from ingest.application.sdk.rules import IGNORED, Rules
from ingest.application.sdk.times import happened_at

KINDS = ("track", "page", "screen", "identify", "group", "alias")

_CHANGES_ON_RETRY = frozenset({"sentAt", "receivedAt"})
_encode = msgspec.json.Encoder(order="deterministic").encode


def incoming_of(call: dict[str, Any], received: Received, rules: Rules) -> Incoming:
    """The call as it is taken in; RejectedRowError where it breaks the spec, or a rule cannot read it."""
    kind = _kind(call)
    properties = object_in(call, "traits" if kind in ("identify", "group") else "properties")
    object_in(call, "context")
    user, anonymous = name_in(call, "userId"), name_in(call, "anonymousId")
    common: dict[str, Any] = {
        "id": name_in(call, "messageId") or _id_of(call),
        "source": received.source,
        "time": happened_at(call, received),
        "name": (kind == "track" and name_in(call, "event")) or kind,
        "properties": properties,
        "users": tuple(dict.fromkeys(each for each in (user, anonymous) if each)),
    }
    fact = rules.choose(call)
    if fact is IGNORED:
        return Incoming(**common)
    common["account"] = checked_name(rules.account(call), "the account")
    common |= _SAID[kind](call)
    if fact:
        data = msgspec.to_builtins(fact.data(call))
        common["drafts"] = (Draft(id=common["id"], type=fact.type, time=common["time"], data=data),)
    return Incoming(**common)


def _kind(call: Message) -> str:
    kind = call.get("type")
    if kind not in KINDS:
        raise RejectedRowError("unknown_type", f"type is {shown(kind)}, expected one of {', '.join(KINDS)}")
    return str(kind)


def _id_of(call: Message) -> str:
    content = {name: value for name, value in call.items() if name not in _CHANGES_ON_RETRY}
    return derived_id("sdk-message", _encode(content).decode())


def _track(call: Message) -> Mapping[str, Any]:
    _person(call)
    _demanded(call, "event", "it is the name of what the user did")
    return {}


def _page(call: Message) -> Mapping[str, Any]:
    _person(call)
    name_in(call, "name")
    return {}


def _identify(call: Message) -> Mapping[str, Any]:
    _person(call)
    return {}


def _group(call: Message) -> Mapping[str, Any]:
    if call.get("groupId") is None and "groupType" in call:
        sentence = f"{shown(call['groupType'])} is not known to be the group type that is the account"
        raise RejectedRowError("unknown_group_type", f"{sentence}; name yours in sdk.account_groups")
    account = _demanded(call, "groupId", "it is the id of the account")
    return {"account": account, "joins": account}


def _alias(call: Message) -> Mapping[str, Any]:
    user = _demanded(call, "userId", "it is the id that the user has from now on")
    previous = _demanded(call, "previousId", "it is the id that the user had until now")
    return {"users": tuple(dict.fromkeys((user, previous))), "merges": True}


_SAID: Mapping[str, Callable[[Message], Mapping[str, Any]]] = {
    "track": _track,
    "page": _page,
    "screen": _page,
    "identify": _identify,
    "group": _group,
    "alias": _alias,
}
"""By kind of call, what it says beyond what all say; what must be there is demanded on the way."""


def _person(call: Message) -> None:
    if call.get("userId") in (None, "") and call.get("anonymousId") in (None, ""):
        raise _missing("userId", "every call needs a userId or an anonymousId")


def _demanded(call: Message, field: str, meaning: str) -> str:
    found = name_in(call, field)
    if found is None:
        raise _missing(field, meaning)
    return found


def _missing(field: str, meaning: str) -> RejectedRowError:
    return RejectedRowError("missing_value", f"{field} is missing: {meaning}", column=field)
