"""What a `csm.contact.changed` fact tells of a person, and how contacts are told on their own topic: whole, or as gone."""

from collections.abc import Collection
from dataclasses import fields
from typing import Any

import msgspec

from csm_common.contracts import envelope
from csm_common.contracts.contacts import CONTACT_RECORDED, PERSONAL_FIELDS, ContactRecorded, contact_key
from csm_common.contracts.topics import CUSTOMER_CONTACTS
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from ingest.application.ports import ContactChange
from ingest.application.shapes import fit, read_time
from ingest.domain.contacts import contact_id_problem, text_problem
from ingest.domain.decision import Rejected

SOURCE = "/csm/ingest"
CONTACT_CHANGED = "csm.contact.changed"

_encode = msgspec.json.Encoder(order="deterministic").encode


def contact_of(event: dict[str, Any], unwanted: Collection[str] = frozenset()) -> ContactChange | Rejected:
    """What the event, whose attributes are in order, tells of a contact, but for the fields that are `unwanted`."""
    time = read_time(event["time"])
    if isinstance(time, Rejected):
        return time
    left_out = {name for name in PERSONAL_FIELDS if name in unwanted}
    told = {name: value for name, value in event["data"].items() if name not in left_out}
    ours = {"account_id": event["subject"], "as_of": time}
    contact = fit(told | ours, ContactRecorded, CONTACT_CHANGED)
    if isinstance(contact, Rejected):
        return contact
    problem = contact_id_problem(contact.contact_id) or text_problem(_texts(contact))
    return problem or ContactChange(contact=contact, time=time)


def _texts(contact: ContactRecorded) -> dict[str, str]:
    told = {each.name: getattr(contact, each.name) for each in fields(contact)}
    return {name: value for name, value in told.items() if isinstance(value, str)} | {
        "consents": "".join(contact.consents or ())
    }


def recorded(contact: ContactRecorded) -> Message:
    """The record of a contact as it is now. Its id is derived from what it says: the same again has the same id.

    ValueError where it does not say as of when it is.
    """
    if contact.as_of is None:
        raise ValueError("a contact is recorded as of some time")
    value = envelope.encode(
        id=derived_id("contact", contact.account_id, contact.contact_id, _encode(contact).decode()),
        source=SOURCE,
        type=CONTACT_RECORDED,
        subject=contact.account_id,
        time=contact.as_of,
        data=contact,
    )
    return Message(CUSTOMER_CONTACTS.name, contact_key(contact.account_id, contact.contact_id), value)


def moved(was: ContactRecorded, stays: ContactRecorded) -> list[Message]:
    """A contact turned out to be another one: the one it became, then the end of the one it was."""
    return [recorded(stays), gone(was.account_id, was.contact_id)]


def gone(account_id: str, contact_id: str) -> Message:
    """The tombstone of a contact."""
    return Message(CUSTOMER_CONTACTS.name, contact_key(account_id, contact_id), None)
