"""What every table of contacts must do: run on the fake in unit/ and on PostgreSQL in integration/, as the fixture `contacts`."""

from datetime import datetime, timedelta
from typing import Any

from tests.support.clock import START

from csm_common.contracts.contacts import ContactRecorded
from ingest.application.ports import ContactChange, Contacts

LATER = START + timedelta(minutes=1)
LATEST = START + timedelta(minutes=2)


def change(at: datetime, contact: str = "kim", account: str = "acme", **told: Any) -> ContactChange:
    """What a fact told of a contact."""
    return ContactChange(contact=ContactRecorded(account_id=account, contact_id=contact, **told), time=at)


def known(at: datetime, contact: str = "kim", account: str = "acme", **told: Any) -> ContactRecorded:
    """A contact as of some time."""
    return ContactRecorded(account_id=account, contact_id=contact, as_of=at, **told)


class ContactsContract:
    """Inherit as `TestSomething(ContactsContract)`."""

    async def test_a_contact_is_whole_however_it_was_told(self, contacts: Contacts) -> None:
        await contacts.merge([change(START, name="Kim", active=True)])
        assert await contacts.merge([change(LATER, email="kim@acme.example")]) == [
            known(LATER, name="Kim", email="kim@acme.example", active=True)
        ]

    async def test_each_field_is_as_it_was_told_last_whatever_came_in_last(self, contacts: Contacts) -> None:
        await contacts.merge([change(LATEST, name="Kim P.", consents={"news": False})])
        await contacts.merge([change(START, name="Kim", email="old@acme.example", consents={"news": True})])
        late = change(LATER, email="new@acme.example", consents={"product": True})
        assert await contacts.merge([late]) == [
            known(LATEST, name="Kim P.", email="new@acme.example", consents={"news": False, "product": True})
        ]

    async def test_of_one_moment_what_comes_last_stands(self, contacts: Contacts) -> None:
        told = [change(START, role="user"), change(START, role="champion")]
        assert await contacts.merge(told) == [known(START, role="champion")]

    async def test_changes_of_many_give_each_contact_once(self, contacts: Contacts) -> None:
        told = [
            change(START, role="user"),
            change(START, "lee", role="admin"),
            change(LATER, active=False),
            change(START, account="globex"),
        ]
        merged = {(each.account_id, each.contact_id): each for each in await contacts.merge(told)}
        assert merged == {
            ("acme", "kim"): known(LATER, role="user", active=False),
            ("acme", "lee"): known(START, "lee", role="admin"),
            ("globex", "kim"): known(START, account="globex"),
        }

    async def test_a_contact_that_turns_out_to_be_another_becomes_one_with_it(
        self, contacts: Contacts
    ) -> None:
        await contacts.merge(
            [
                change(LATER, "anonymous", email="kim@acme.example", role="user"),
                change(LATEST, "kim", role="champion"),
                change(START, "anonymous", "globex", name="Kim"),
            ]
        )
        assert await contacts.move({"anonymous": "kim", "nobody": "kim"}) == [
            (
                known(LATER, "anonymous", email="kim@acme.example", role="user"),
                known(LATEST, email="kim@acme.example", role="champion"),
            ),
            (known(START, "anonymous", "globex", name="Kim"), known(START, account="globex", name="Kim")),
        ]
        assert await contacts.move({"anonymous": "kim"}) == []

    async def test_nothing_told_is_nothing_done(self, contacts: Contacts) -> None:
        assert list(await contacts.merge([])) == []
        assert list(await contacts.move({})) == []
