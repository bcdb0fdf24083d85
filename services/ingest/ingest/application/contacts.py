"""`csm.contact.changed` becomes two records: how to reach the person goes to the contacts' topic, the rest stays a fact."""

from collections.abc import Mapping
from typing import Any

import msgspec

from csm_common.contracts import envelope
from csm_common.contracts.contacts import CONTACT_RECORDED, PERSONAL_FIELDS, ContactRecorded
from csm_common.contracts.topics import CUSTOMER_CONTACTS, CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from ingest.application.accepted import Accepted
from ingest.application.shapes import fit
from ingest.domain.contacts import contact_id_problem, without_personal
from ingest.domain.decision import Rejected

CONTACT_CHANGED = "csm.contact.changed"

_encode = msgspec.json.Encoder().encode


def split_contact(event: dict[str, Any], value: bytes, headers: Mapping[str, str]) -> Accepted | Rejected:
    """The records of an event whose attributes are in order; `value` is the event as it is, if nothing need be taken out."""
    contact = fit(event["data"] | {"account_id": event["subject"]}, ContactRecorded, CONTACT_CHANGED)
    if isinstance(contact, Rejected):
        return contact
    if problem := contact_id_problem(contact.contact_id):
        return problem
    rest = without_personal(event["data"], PERSONAL_FIELDS)
    if len(rest) < len(event["data"]):
        value = _encode(event | {"data": rest})
    fact = Message(CUSTOMER_EVENTS.name, contact.account_id.encode(), value, headers)
    return Accepted(event["id"], (_recorded(event, contact, headers), fact))


def _recorded(event: dict[str, Any], contact: ContactRecorded, headers: Mapping[str, str]) -> Message:
    value = envelope.encode(
        id=derived_id("contact", event["source"], event["id"]),
        source=event["source"],
        type=CONTACT_RECORDED,
        subject=contact.account_id,
        time=event["time"],
        data=contact,
    )
    key = f"{contact.account_id}/{contact.contact_id}".encode()
    return Message(CUSTOMER_CONTACTS.name, key, value, headers)
