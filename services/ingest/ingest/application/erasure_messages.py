"""What the other services are told of an erasure."""

from datetime import datetime

from csm_common.contracts import envelope
from csm_common.contracts.contacts import account_key, contact_key
from csm_common.contracts.facts import ACCOUNT_ERASED, CONTACT_ERASED, AccountErased, ContactErased
from csm_common.contracts.topics import CUSTOMER_CONTACTS, CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from ingest.application.contacts import SOURCE, gone
from ingest.domain.contacts import contact_id_problem


def contact_erased(erasure_id: str, account: str, contact: str, now: datetime) -> list[Message]:
    """That a person is erased in an account under one of their names: for the facts, for the contacts, and the contact's end."""
    data = ContactErased(contact_id=contact, erasure_id=erasure_id)
    value = _event(derived_id("erased", erasure_id, account, contact), CONTACT_ERASED, account, now, data)
    fact = Message(CUSTOMER_EVENTS.name, account.encode(), value)
    if contact_id_problem(contact):
        return [fact]  # a name of theirs that was never a contact's
    return [
        fact,
        Message(CUSTOMER_CONTACTS.name, contact_key(account, contact), value),
        gone(account, contact),
    ]


def account_erased(erasure_id: str, account: str, now: datetime) -> list[Message]:
    """That an account is erased, for the facts and for the contacts; its contacts end each by a tombstone of its own."""
    data = AccountErased(erasure_id=erasure_id)
    value = _event(derived_id("erased", erasure_id, account), ACCOUNT_ERASED, account, now, data)
    return [
        Message(CUSTOMER_CONTACTS.name, account_key(account), value),
        Message(CUSTOMER_EVENTS.name, account.encode(), value),
    ]


def _event(id_: str, type_: str, account: str, now: datetime, data: object) -> bytes:
    return envelope.encode(id=id_, source=SOURCE, type=type_, subject=account, time=now, data=data)
