"""`customer.contacts.v1`: how to reach a person. The only topic with personal data; compacted, erasure is a tombstone."""

from dataclasses import dataclass

CONTACT_RECORDED = "csm.contact.recorded"

PERSONAL_FIELDS = ("name", "email", "phone", "chat_handle", "timezone", "locale")
"""Fields of a `csm.contact.changed` fact that ingest moves here and strips from `customer.events.v1`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecorded:
    """One person of one account. `role` says what they are to the account, e.g. champion, admin, owner (the CS manager)."""

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
