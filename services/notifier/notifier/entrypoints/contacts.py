"""Records of `customer.contacts.v1` by what they tell: contacts as they are, contacts that are gone, and erasures."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from csm_common.contracts.contacts import CONTACT_RECORDED, ContactRecorded
from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.facts import ACCOUNT_ERASED, CONTACT_ERASED, ContactErased
from csm_common.kafka.record import DeadLetter, Record
from notifier.application.handlers.directory import Erasure
from notifier.application.ports import DirectoryEntry
from notifier.entrypoints.decoding import envelope_of

_contact = msgspec.json.Decoder(ContactRecorded)
_erased = msgspec.json.Decoder(ContactErased)


class ContactsBatch:
    """A batch, sorted. Of erasures the latest of each contact and account is kept."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.changes: list[DirectoryEntry | Erasure] = []
        self.erased_contacts: dict[tuple[str, str], datetime] = {}
        self.erased_accounts: dict[str, datetime] = {}
        self.letters: list[DeadLetter] = []
        for record in records:
            try:
                self._sort_in(record)
            except msgspec.MsgspecError as error:
                self.letters.append(DeadLetter(record, "undecodable", str(error)))

    def _sort_in(self, record: Record) -> None:
        key = record.key or b""
        if record.value is None:
            self.changes.append(key)
            return
        event = envelope_of(record.value)
        if event.type == CONTACT_RECORDED:
            self.changes.append(DirectoryEntry(key, _contact.decode(event.data), event.time))
        elif event.type == CONTACT_ERASED:
            self._contact_erased(event)
        elif event.type == ACCOUNT_ERASED:
            known = self.erased_accounts.get(event.subject, event.time)
            self.erased_accounts[event.subject] = max(known, event.time)
        else:
            raise msgspec.ValidationError(f"No event of type {event.type} is known on this topic")

    def _contact_erased(self, event: RawEnvelope) -> None:
        who = event.subject, _erased.decode(event.data).contact_id
        self.erased_contacts[who] = max(self.erased_contacts.get(who, event.time), event.time)
