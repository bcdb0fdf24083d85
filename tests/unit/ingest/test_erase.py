"""Erasing: what is told, in which order, what the report says, and who may ask."""

from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import pytest
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.ingest.memory_archive import MemoryArchive

from csm_common.contracts.topics import CUSTOMER_CONTACTS, CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from csm_common.errors import TransientError
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from ingest.application.erase import Erase
from ingest.entrypoints.erasure import erasure_routes


class Desk:
    """The routes over an archive."""

    def __init__(self) -> None:
        self.archive = MemoryArchive()
        self.keys = MemoryKeys()
        clock = ManualClock()
        app = create_web_app(
            title="ingest",
            description="",
            authenticator=Authenticator(self.keys, clock),
            routers=[erasure_routes(Erase(self.archive, clock))],
            ready={},
            alive={},
        )
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://ingest",
            headers=self.may("erasure:write"),
        )

    def may(self, scope: str) -> dict[str, str]:
        """The header of a key with this scope."""
        return {"authorization": f"Bearer {self.keys.add(scope.partition(':')[0], scopes=[scope])}"}

    async def erase(self, path: str) -> dict[str, Any]:
        """The report of an erasure that is granted."""
        response = await self.client.delete(path)
        assert response.status_code == 200, response.text
        report: dict[str, Any] = response.json()
        return report

    @property
    def told(self) -> Sequence[tuple[str, bytes | None, str | None]]:
        """Topic, key and type of all that was told, None for a tombstone's."""
        return [(each.topic, each.key, _type(each)) for each in self.archive.traces.messages]


def _type(message: Message) -> str | None:
    return None if message.value is None else str(msgspec.json.decode(message.value)["type"])


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.archive.traces.persons = [({"kim", "anonymous/1"}, "acme"), ({"lee"}, "acme"), ({"ana"}, None)]
    desk.archive.traces.records = {("acme", "kim"), ("globex", "kim"), ("acme", "lee")}
    return desk


async def test_a_contact_is_erased_under_all_names_in_all_accounts_that_know_them(desk: Desk) -> None:
    report = await desk.erase("/v1/contacts/anonymous/1")
    assert report["erased"] == {"contacts": 2, "names": 2}
    assert desk.archive.traces.records == {("acme", "lee")}
    per_account = [
        [
            (CUSTOMER_EVENTS.name, account, "csm.contact.erased"),
            (CUSTOMER_EVENTS.name, account, "csm.contact.erased"),
            (CUSTOMER_CONTACTS.name, account + b"/kim", "csm.contact.erased"),
            (CUSTOMER_CONTACTS.name, account + b"/kim", None),
        ]
        for account in (b"acme", b"globex")
    ]
    assert desk.told == [each for told in per_account for each in told]
    facts = [msgspec.json.decode(each.value) for each in desk.archive.traces.messages if each.value]
    assert {each["data"]["contact_id"] for each in facts} == {"kim", "anonymous/1"}
    assert {each["data"]["erasure_id"] for each in facts} == {report["id"]}


async def test_a_contact_of_one_account_stays_known_to_the_others(desk: Desk) -> None:
    report = await desk.erase("/v1/contacts/kim?account=globex")
    assert report["erased"] == {"contacts": 1, "names": 0}
    assert desk.archive.traces.records == {("acme", "kim"), ("acme", "lee")}
    assert {key for _, key, _ in desk.told} == {b"globex", b"globex/kim"}


async def test_the_last_account_that_knows_a_contact_takes_its_names_along(desk: Desk) -> None:
    report = await desk.erase("/v1/contacts/lee?account=acme")
    assert report["erased"] == {"contacts": 1, "names": 1}


async def test_an_account_is_erased_with_everybody_in_it(desk: Desk) -> None:
    report = await desk.erase("/v1/accounts/acme")
    assert report["erased"] == {"contacts": 2, "names": 3}
    assert desk.told == [
        (CUSTOMER_CONTACTS.name, b"acme/kim", None),
        (CUSTOMER_CONTACTS.name, b"acme/lee", None),
        (CUSTOMER_CONTACTS.name, b"acme/", "csm.account.erased"),
        (CUSTOMER_EVENTS.name, b"acme", "csm.account.erased"),
    ]
    assert report["published"] == [
        {"topic": topic, "key": (key or b"").decode(), "type": type_} for topic, key, type_ in desk.told
    ]


@pytest.mark.parametrize("path", ["/v1/accounts/acme", "/v1/contacts/kim", "/v1/contacts/kim?account=acme"])
async def test_erasing_again_has_the_same_shape_and_zeros(desk: Desk, path: str) -> None:
    first, again = await desk.erase(path), await desk.erase(path)
    assert first.keys() == again.keys()
    assert first["erased"].keys() == again["erased"].keys()
    assert any(first["erased"].values())
    assert not any(again["erased"].values())
    assert first["id"] != again["id"]


async def test_of_a_contact_nobody_knows_nothing_is_told_and_of_an_account_what_the_others_may_know(
    desk: Desk,
) -> None:
    assert (await desk.erase("/v1/contacts/nobody"))["published"] == []
    assert len((await desk.erase("/v1/contacts/nobody?account=acme"))["published"]) == 3
    assert len((await desk.erase("/v1/accounts/nowhere"))["published"]) == 2


async def test_a_report_can_be_read_again(desk: Desk) -> None:
    report = await desk.erase("/v1/accounts/acme")
    assert (await desk.client.get(f"/v1/erasures/{report['id']}")).json() == report
    assert report["asked_at"] == START.isoformat().replace("+00:00", "Z")
    unknown = await desk.client.get("/v1/erasures/3e6b436d-f057-4dcf-9fdb-1f297741f8ff")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


async def test_the_answer_comes_when_what_was_told_is_published(desk: Desk) -> None:
    await desk.erase("/v1/accounts/acme")
    assert desk.archive.awaited == list(desk.archive.traces.messages) != []


async def test_nothing_lasts_of_an_erasure_whose_transaction_fails(desk: Desk) -> None:
    before = set(desk.archive.traces.records)
    desk.archive.away = True
    with pytest.raises(TransientError):
        await Erase(desk.archive, ManualClock()).account("acme")
    assert desk.archive.traces.records == before
    assert desk.told == []


@pytest.mark.parametrize(
    "path",
    [
        "/v1/contacts/",
        "/v1/contacts/%00",
        "/v1/contacts/a%09b",
        f"/v1/accounts/{'x' * 201}",
        "/v1/contacts/kim?account=",
        "/v1/contacts/%20",
    ],
)
async def test_what_is_no_name_is_refused(desk: Desk, path: str) -> None:
    response = await desk.client.delete(path)
    assert response.status_code in (400, 422)
    assert response.json()["message"]
    assert desk.told == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/contacts/kim"),
        ("DELETE", "/v1/accounts/acme"),
        ("GET", "/v1/erasures/3e6b436d-f057-4dcf-9fdb-1f297741f8ff"),
    ],
)
async def test_it_needs_its_own_permission(desk: Desk, method: str, path: str) -> None:
    for headers, status in ((desk.may("events:write"), 403), ({"authorization": ""}, 401)):
        assert (await desk.client.request(method, path, headers=headers)).status_code == status
    assert desk.told == []
