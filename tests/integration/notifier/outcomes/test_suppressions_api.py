"""What operators do with suppressions: list, add, lift and look up, without ever being shown an address."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.integration.notifier.outcomes.conftest import JO, PERSON, Service
from tests.unit.notifier.builders import an_entry

from csm_common.web.pages import encode_cursor

URL = "/v1/suppressions"


async def test_a_contact_is_suppressed_and_not_written_to_any_more(service: Service) -> None:
    body = {"account_id": "acme", "contact_id": "jo", "note": "asked for it on the phone"}
    answer = await service.operator.post(URL, json=body)
    assert answer.status_code == 201
    (made,) = answer.json()["suppressions"]
    assert made | {"id": ""} == {
        "id": "",
        "category": None,
        "reason": "manual",
        "since": "2026-03-02T09:00:00Z",
        "account_id": "acme",
        "contact_id": "jo",
        "notification_id": None,
        "note": "asked for it on the phone",
    }
    await service.ask(message_class="transactional")
    await service.desk.round()
    assert await service.status("n-1") == "suppressed"


async def test_an_address_goes_in_and_never_out(service: Service) -> None:
    answer = await service.operator.post(URL, json={"address": f" {JO.upper()}", "category": "expansion"})
    assert answer.status_code == 201
    found = await service.operator.post(f"{URL}:lookup", json={"address": JO})
    listed = await service.operator.get(URL)
    for each in (answer, found, listed):
        assert JO not in each.text.lower()
        assert PERSON not in each.text
    async with service.desk.engine.connect() as connection:
        rows = await connection.scalars(text("SELECT (to_jsonb(s) - 'person')::text FROM suppressions s"))
        assert all("customer.example" not in each.lower() for each in rows)


async def test_a_person_is_found_by_their_address_and_nobody_else_is(service: Service) -> None:
    await service.operator.post(URL, json={"address": JO})
    (found,) = (await service.operator.post(f"{URL}:lookup", json={"address": JO})).json()["suppressions"]
    assert found["reason"] == "manual"
    nobody = await service.operator.post(f"{URL}:lookup", json={"address": "else@customer.example"})
    assert nobody.json() == {"suppressions": []}


async def test_all_ways_to_a_contact_are_closed(service: Service) -> None:
    async with service.open_work() as work:
        await work.directory.record([an_entry("sam", email="sam@customer.example", chat_handle="U123")])
    answer = await service.operator.post(URL, json={"account_id": "acme", "contact_id": "sam"})
    assert len(answer.json()["suppressions"]) == 2


async def test_a_second_time_changes_nothing(service: Service) -> None:
    for _ in range(2):
        await service.operator.post(URL, json={"address": JO})
        service.desk.clock.advance(timedelta(hours=1))
    assert await service.in_force() == [(None, "manual")]


async def test_a_suppression_is_lifted_once(service: Service) -> None:
    (made,) = (await service.operator.post(URL, json={"address": JO})).json()["suppressions"]
    assert (await service.operator.delete(f"{URL}/{made['id']}")).status_code == 204
    assert await service.in_force() == []
    again = await service.operator.delete(f"{URL}/{made['id']}")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")


async def test_the_list_is_paged_newest_first_and_narrowed(service: Service) -> None:
    for number in range(5):
        body = {"account_id": "acme", "contact_id": "jo", "category": f"c{number}"}
        await service.operator.post(URL, json=body)
        service.desk.clock.advance(timedelta(minutes=1))
    await service.operator.post(URL, json={"address": "else@customer.example"})
    seen: list[str] = []
    cursor: str | None = None
    for _ in range(3):
        query = {"account": "acme", "limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await service.reader.get(URL, params=query)).json()
        seen += [each["category"] for each in page["suppressions"]]
        cursor = page["next_cursor"]
    assert (seen, cursor) == (["c4", "c3", "c2", "c1", "c0"], None)

    async def count(**query: str) -> int:
        return len((await service.reader.get(URL, params=query)).json()["suppressions"])

    assert await count() == 6
    assert await count(contact="jo") == 5
    assert await count(contact="jo", category="c1") == 1
    assert await count(reason="manual") == 6
    assert await count(reason="complaint") == 0


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"account_id": "acme"}, 422),
        ({"contact_id": "jo"}, 422),
        ({"address": JO, "contact_id": "jo", "account_id": "acme"}, 422),
        ({"address": ""}, 422),
        ({"address": "a\0b"}, 422),
        ({"address": JO, "reason": "complaint"}, 422),
        ({"account_id": "acme", "contact_id": "nobody"}, 404),
        ({"account_id": "nobody", "contact_id": "jo"}, 404),
    ],
    ids=str,
)
async def test_what_names_nobody_is_refused(service: Service, body: dict[str, str], status: int) -> None:
    answer = await service.operator.post(URL, json=body)
    assert (answer.status_code, answer.json()["status"]) == (status, status)


@pytest.mark.parametrize(
    "query", [{"account": "\0"}, {"cursor": "x"}, {"reason": "none"}, {"limit": "0"}], ids=str
)
async def test_what_cannot_be_asked_is_refused(service: Service, query: dict[str, str]) -> None:
    assert (await service.operator.get(URL, params=query)).status_code in (400, 422)
    assert (await service.operator.get(URL, params={"cursor": encode_cursor("x", "y")})).status_code == 400


async def test_reading_and_writing_have_their_scopes(service: Service) -> None:
    assert (await service.person.get(URL)).status_code == 401
    assert (await service.reader.post(URL, json={"address": JO})).status_code == 403
    assert (await service.reader.delete(f"{URL}/x")).status_code == 403
    assert (await service.reader.post(f"{URL}:lookup", json={"address": JO})).status_code == 200


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=50), st.text(max_size=50))
async def test_no_text_makes_an_error_of_ours(service: Service, address: str, note: str) -> None:
    for answer in (
        await service.operator.post(URL, json={"address": address, "note": note}),
        await service.operator.post(f"{URL}:lookup", json={"address": address}),
        await service.operator.delete(f"{URL}/x", params={"x": note}),
    ):
        assert answer.status_code < 500
