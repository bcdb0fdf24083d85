"""The two topics we read: contacts into the directory, requests into notifications. Two consumers, so that an import of a
million contacts keeps no message waiting."""

from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.clock import Clock
from csm_common.contracts.notifications import NOTIFICATION_REQUESTED, NotificationRequest
from csm_common.contracts.topics import CUSTOMER_CONTACTS, NOTIFICATION_REQUESTS, Topic
from csm_common.kafka.record import DeadLetter, Outcome, Record, WithoutTimers
from notifier.application.handlers.directory import update_directory
from notifier.application.handlers.erasures import erase, not_erased_since, tell_erased
from notifier.application.handlers.requests import notification_of
from notifier.application.ports import Work
from notifier.entrypoints.contacts import ContactsBatch
from notifier.entrypoints.decoding import Decoder

WorkIn = Callable[[AsyncConnection], Work]


class ContactsConsumer(WithoutTimers):
    """`customer.contacts.v1` → the directory, and erasures."""

    name = "notifier-contacts"
    topics: tuple[Topic, ...] = (CUSTOMER_CONTACTS,)

    def __init__(self, work_in: WorkIn) -> None:
        self._work_in = work_in

    async def handle(self, tx: AsyncConnection, records: Sequence[Record]) -> Outcome:
        """Take a batch in. Erasures look at times, not at the order of the log: an account's lie on a partition of their own."""
        batch = ContactsBatch(records)
        work = self._work_in(tx)
        done = await erase(work, batch.erased_contacts, batch.erased_accounts)
        await update_directory(work.directory, batch.changes)
        return Outcome(batch.letters, lambda: tell_erased(batch.erased_contacts, batch.erased_accounts, done))


class RequestsConsumer(WithoutTimers):
    """`notifications.requests.v1` → pending notifications; `wake_sender` is called once they are committed."""

    name = "notifier-requests"
    topics: tuple[Topic, ...] = (NOTIFICATION_REQUESTS,)

    def __init__(self, work_in: WorkIn, clock: Clock, wake_sender: Callable[[], None]) -> None:
        self._work_in = work_in
        self._clock = clock
        self._wake_sender = wake_sender
        self._decoder = Decoder(NOTIFICATION_REQUESTED, NotificationRequest)

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
        work = self._work_in(tx)
        await work.notifications.add(await not_erased_since(work, notifications), self._clock.now())
        return Outcome(letters, self._wake_sender)
