"""Requests as playbooks make them, each of an account of its own."""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from csm_common.contracts import envelope
from csm_common.contracts.contacts import CONTACT_RECORDED, ContactRecorded, contact_key
from csm_common.contracts.notifications import NOTIFICATION_REQUESTED, NotificationRequest, Recipient
from csm_common.contracts.topics import CUSTOMER_CONTACTS, NOTIFICATION_REQUESTS
from csm_common.database.outbox import Message

_CONTEXT = {
    "score": 44.4,
    "band": "at_risk",
    "coverage": 0.9,
    "crossing": {
        "threshold": "at_risk",
        "before": 63.2,
        "after": 44.4,
        "band_before": "neutral",
        "band_after": "at_risk",
        "parts": [
            {"measure": "usage_recency", "before": 30.0, "after": 22.0},
            {"measure": "open_tickets", "before": 14.1, "after": 3.2},
        ],
    },
    "playbook": {"name": "account_at_risk", "title": "An account has become at risk"},
}


def contacts(accounts: int) -> list[Message]:
    """The owner of each account."""
    return [_contact(f"acct-{number}") for number in range(accounts)]


def _contact(account: str) -> Message:
    who = ContactRecorded(
        account_id=account, contact_id="kim", name="Kim Park", email=f"{account}@vendor.example", role="owner"
    )
    key = contact_key(account, "kim")
    return _message(CUSTOMER_CONTACTS.name, key, CONTACT_RECORDED, who, str(uuid4()), account)


def mails(accounts: int) -> list[Message]:
    """One to the owner of each account."""
    return [_request(number, "email", Recipient(kind="owner")) for number in range(accounts)]


def calls(count: int, endpoints: Sequence[str]) -> list[Message]:
    """To each endpoint in turn."""
    return [
        _request(number, "webhook", Recipient(kind="endpoint", value=endpoints[number % len(endpoints)]))
        for number in range(count)
    ]


def _request(number: int, channel: str, recipient: Recipient) -> Message:
    account = f"acct-{number}"
    request = NotificationRequest(
        account_id=account,
        run_id=f"run-{number}",
        playbook="account_at_risk",
        playbook_version=1,
        step="tell",
        channel=channel,  # type: ignore[arg-type]
        category="health",
        message_class="internal",
        template="account_at_risk",
        recipients=[recipient],
        requested_at=datetime.now(UTC),
        context={"account": {"name": account, "owner": "kim", "arr": 48_000, "currency": "EUR"}, **_CONTEXT},
    )
    id_ = f"{channel}-{number}-{uuid4()}"
    return _message(
        NOTIFICATION_REQUESTS.name, account.encode(), NOTIFICATION_REQUESTED, request, id_, account
    )


def _message(topic: str, key: bytes, type_: str, data: object, id_: str, account: str) -> Message:
    now = datetime.now(UTC)
    value = envelope.encode(id=id_, source="/benchmark", type=type_, subject=account, time=now, data=data)
    return Message(topic, key, value)
