"""The table of contacts in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from csm_common.contracts.contacts import ContactRecorded
from ingest.application.ports import ContactChange
from ingest.domain.contacts import KnownContact, Told

_NOT_TOLD = {"account_id", "contact_id", "consents", "as_of"}


@dataclass
class MemoryContacts:
    """Contacts by account and id, with all that was told of them."""

    known: dict[tuple[str, str], KnownContact] = field(default_factory=dict)

    async def merge(self, changes: Sequence[ContactChange]) -> Sequence[ContactRecorded]:
        """Take changes in and give back each contact as it is now."""
        keys = [(each.contact.account_id, each.contact.contact_id) for each in changes]
        for key, change in zip(keys, changes, strict=True):
            self._take(key, _told(change))
        return [_contact(key, self.known[key]) for key in dict.fromkeys(keys)]

    async def move(self, names: Mapping[str, str]) -> Sequence[tuple[ContactRecorded, ContactRecorded]]:
        """Contacts by old contact id that are really another id of the same account: pairs of what was and what is now."""
        pairs = []
        for account, contact in sorted(self.known):
            if contact in names:
                gone, key = self.known.pop((account, contact)), (account, names[contact])
                self._take(key, gone)
                pairs.append((_contact((account, contact), gone), _contact(key, self.known[key])))
        return pairs

    def _take(self, key: tuple[str, str], told: KnownContact) -> None:
        self.known[key] = self.known[key].merged(told) if key in self.known else told


def _told(change: ContactChange) -> KnownContact:
    def as_of(values: Mapping[str, Any]) -> dict[str, Told]:
        return {name: Told(value, change.time) for name, value in values.items() if value is not None}

    details = {each.name: getattr(change.contact, each.name) for each in fields(change.contact)}
    plain = {name: value for name, value in details.items() if name not in _NOT_TOLD}
    return KnownContact(as_of(plain), as_of(change.contact.consents or {}), change.time)


def _contact(key: tuple[str, str], known: KnownContact) -> ContactRecorded:
    details = {name: told.value for name, told in known.details.items()}
    consents = {name: told.value for name, told in known.consents.items()} or None
    return ContactRecorded(
        account_id=key[0], contact_id=key[1], **details, consents=consents, as_of=known.told_at
    )
