"""The two topics we read: contacts into the directory, requests into notifications. Two consumers, so that an import of a
million contacts keeps no message waiting."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Generic, TypeVar

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.clock import Clock
from csm_common.contracts.contacts import CONTACT_RECORDED, ContactRecorded
from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.notifications import NOTIFICATION_REQUESTED, NotificationRequest
from csm_common.contracts.topics import CUSTOMER_CONTACTS, NOTIFICATION_REQUESTS, Topic
from csm_common.database.positions import Partition
from csm_common.kafka.record import DeadLetter, Outcome, Record
from notifier.application.handlers.directory import Erasure, update_directory
from notifier.application.handlers.requests import notification_of
from notifier.application.ports import DirectoryEntry, Work

WorkIn = Callable[[AsyncConnection], Work]

DataT = TypeVar("DataT")

_envelopes = msgspec.json.Decoder(RawEnvelope)


class _Decoder(Generic[DataT]):
    """Reads events of one type with data of one shape."""

    def __init__(self, type_: str, shape: type[DataT]) -> None:
        self._type = type_
        self._data = msgspec.json.Decoder(shape)

    def decode(self, value: bytes) -> tuple[RawEnvelope, DataT]:
        """The event and its data; msgspec.MsgspecError where it is neither JSON, an event, nor of the right type."""
        event = _envelopes.decode(value)
        if event.type != self._type:
            raise msgspec.ValidationError(f"Expected an event of type {self._type}, got {event.type}")
        return event, self._data.decode(event.data)


class _WithoutTimers:
    """What consumers need not do that remember nothing and have no timers."""

    async def claimed(self, tx: AsyncConnection, partitions: Sequence[Partition]) -> None:
        """Nothing is remembered of any partition."""

    def next_due(self) -> datetime | None:
        """Never."""
        return None

    async def handle_due(
        self, tx: AsyncConnection, partitions: Sequence[Partition], now: datetime
    ) -> Outcome:
        """Nothing ever becomes due."""
        return Outcome()

    def forget(self) -> None:
        """Nothing is remembered."""


class ContactsConsumer(_WithoutTimers):
    """`customer.contacts.v1` → the directory."""

    name = "notifier-contacts"
    topics: tuple[Topic, ...] = (CUSTOMER_CONTACTS,)

    def __init__(self, work_in: WorkIn) -> None:
        self._work_in = work_in
        self._decoder = _Decoder(CONTACT_RECORDED, ContactRecorded)

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Take a batch in."""
        changes: list[DirectoryEntry | Erasure] = []
        letters = []
        for record in records:
            try:
                changes.append(self._change(record))
            except msgspec.MsgspecError as error:
                letters.append(DeadLetter(record, "undecodable", str(error)))
        await update_directory(self._work_in(tx).directory, changes)
        return Outcome(letters)

    def _change(self, record: Record) -> DirectoryEntry | Erasure:
        key = record.key or b""
        if record.value is None:
            return key
        event, contact = self._decoder.decode(record.value)
        return DirectoryEntry(key, contact, event.time)


class RequestsConsumer(_WithoutTimers):
    """`notifications.requests.v1` → pending notifications; `wake_sender` is called once they are committed."""

    name = "notifier-requests"
    topics: tuple[Topic, ...] = (NOTIFICATION_REQUESTS,)

    def __init__(self, work_in: WorkIn, clock: Clock, wake_sender: Callable[[], None]) -> None:
        self._work_in = work_in
        self._clock = clock
        self._wake_sender = wake_sender
        self._decoder = _Decoder(NOTIFICATION_REQUESTED, NotificationRequest)

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Take a batch in; a request that came before changes nothing."""
        notifications = []
        letters = []
        for record in records:
            try:
                event, request = self._decoder.decode(record.value or b"")
                notifications.append(notification_of(event.id, request, record.traceparent))
            except msgspec.MsgspecError as error:
                letters.append(DeadLetter(record, "undecodable", str(error)))
        await self._work_in(tx).notifications.add(notifications, self._clock.now())
        return Outcome(letters, self._wake_sender)
