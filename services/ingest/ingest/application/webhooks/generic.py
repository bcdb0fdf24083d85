"""Deliveries of any sender, read by a mapping: where the id, the time, the account and the facts' data are in its JSON."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from csm_common.mapping.columns import JsonColumns
from csm_common.mapping.conditions import compile_condition
from csm_common.mapping.conversions import Times
from csm_common.mapping.facts import compile_fact
from csm_common.mapping.language import Value
from csm_common.mapping.rejection import RejectedRowError
from csm_common.mapping.values import compile_value
from ingest.application.incoming import Draft, Incoming, Received
from ingest.application.webhooks.fields import body_id, decoded
from ingest.application.webhooks.rules import GenericHook
from ingest.domain.decision import Rejected

PLACE = "place"
"""Context: where in its delivery a message was; with it, equal messages of one delivery have ids of their own."""
UNSPLIT = "unsplit"
"""Context: why a delivery could not be split into messages."""

_NAME = "message"

Payload = dict[str, Any]


class GenericReader:
    """Reads deliveries as a hook's mapping says, which is compiled once."""

    def __init__(self, hook: GenericHook) -> None:
        columns, times = JsonColumns(hook.nulls), Times(zone=ZoneInfo(hook.timezone))

        def compiled(value: Value | None, kind: str = "text") -> Callable[[Payload], Any]:
            return compile_value(value, columns, kind=kind, times=times) if value else _nothing

        self._skips = [compile_condition(each.when, columns) for each in hook.skip]
        self._facts = [compile_fact(each, columns, times) for each in hook.facts]
        self._id, self._name = compiled(hook.id), compiled(hook.name)
        self._time = compiled(hook.time, "time")
        self._account, self._fallback = compiled(hook.account), compiled(hook.fallback)
        self._users = [compiled(each) for each in hook.users]
        self._users_prefix = hook.users_prefix
        self._joins = hook.joins

    def __call__(self, received: Received) -> Incoming | Rejected:
        """What the message tells. It is rejected where none of the facts applies to it: what is to be ignored is skipped."""
        if UNSPLIT in received.context:
            return Rejected("invalid_payload", received.context[UNSPLIT])
        payload = decoded(received)
        if isinstance(payload, Rejected):
            return payload
        try:
            return self._read(received, payload)
        except RejectedRowError as error:
            return Rejected(error.code, f"{error.message}.")

    def _read(self, received: Received, payload: Payload) -> Incoming | Rejected:
        incoming = Incoming(
            id=self._id(payload) or received.context.get(PLACE) or body_id(received),
            source=received.source,
            time=self._time(payload) or received.at,
            name=self._name(payload) or _NAME,
            properties=payload,
        )
        if any(holds(payload) for holds in self._skips):
            return incoming
        drafts = self._drafts(incoming, payload)
        return self._attributed(incoming, drafts, payload)

    def _drafts(self, incoming: Incoming, payload: Payload) -> tuple[Draft, ...]:
        applying = [each for each in self._facts if each.when is None or each.when(payload)]
        return tuple(
            Draft(
                id=f"{incoming.id}/{place}" if place else incoming.id,
                type=fact.type,
                time=incoming.time,
                data=msgspec.to_builtins(fact.data(payload)),
            )
            for place, fact in enumerate(applying)
        )

    def _attributed(
        self, incoming: Incoming, drafts: tuple[Draft, ...], payload: Payload
    ) -> Incoming | Rejected:
        account, fallback = self._account(payload), self._fallback(payload)
        users = tuple(f"{self._users_prefix}{each}" for read in self._users if (each := read(payload)))
        joins = account if self._joins and users else None
        if not drafts and joins is None:
            return Rejected(
                "no_fact",
                "None of the webhook's facts applies to this message. Add one, or a rule to skip it.",
            )
        if not (account or users or fallback):
            return Rejected(
                "unknown_account", "Whom this is about is not told: account, users and fallback are missing."
            )
        return replace(incoming, drafts=drafts, account=account, users=users, joins=joins, fallback=fallback)


def _nothing(_: Payload) -> None:
    return None
