"""`customer.contacts.v1`: how to reach a person. The only topic with personal data; compacted, erasure is a tombstone.

Per key it says:
- `csm.contact.recorded` under `contact_key`: the contact as it is now, whole, because only the newest record of a key is kept;
- a tombstone under `contact_key`: there is no such contact any more, because it was erased or merged into another one;
- `csm.contact.erased` under `contact_key`, before its tombstone: forget what was said to this person, too;
- `csm.account.erased` under `account_key`: forget everybody of the account and what was said about it up to the event's time.
"""

from dataclasses import dataclass
from datetime import datetime

CONTACT_RECORDED = "csm.contact.recorded"

PERSONAL_FIELDS = ("name", "email", "phone", "chat_handle", "timezone", "locale")
"""Fields of a `csm.contact.changed` fact that ingest moves here and strips from `customer.events.v1`."""


def contact_key(account_id: str, contact_id: str) -> bytes:
    """The key of a contact. A contact id has no slash, so no two contacts share a key.

    >>> contact_key("acme", "c-5")
    b'acme/c-5'
    """
    return f"{account_id}/{contact_id}".encode()


def account_key(account_id: str) -> bytes:
    """The key of what concerns the whole account; a contact id is never empty, so it is no contact's key.

    >>> account_key("acme")
    b'acme/'
    """
    return contact_key(account_id, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecorded:
    """One person of one account. `role` says what they are to the account, e.g. champion, admin, owner (the CS manager).

    `as_of` is when the newest of it was told.
    """

    account_id: str
    contact_id: str
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    chat_handle: str | None = None
    timezone: str | None = None
    locale: str | None = None
    role: str | None = None
    active: bool | None = None
    consents: dict[str, bool] | None = None
    as_of: datetime | None = None
