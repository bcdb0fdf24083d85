"""What the service's tables must do: run on the fake in unit/ and on PostgreSQL in integration/, as the fixture `store`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from tests.support.clock import START
from tests.unit.ingest.contacts_contract import change
from tests.unit.ingest.rejections.lists_contract import a_rejection

from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from csm_common.ids import derived_id
from ingest.application.ports import Decision, Rejection, Store
from ingest.application.replays import Selection
from ingest.domain.people import Circle, Person

MINUTE = timedelta(minutes=1)
EVERYTHING = Selection()
FIRST = "00000000-0000-0000-0000-000000000000"
ACME = Decision(digest=b"\x00d", account="acme", person="kim")


def key(name: str) -> str:
    """The key of a message."""
    return derived_id("message", name)


def waiting(name: str, person: str, **told: Any) -> Rejection:
    """A message that waits for the account of a person."""
    usual: dict[str, Any] = {"code": "unattributed", "drafts": b"\x00[]", "listed_from": START + MINUTE}
    return a_rejection(name, **usual | {"person": person} | told)


async def meet(store: Store, *names: str, merge: bool = False, account: str | None = None) -> str:
    """Tell in a transaction that these are names of one person, who is in the account."""
    async with store.begin() as work:
        circle = Circle(await work.people.lock(set(names), merging=merge))
        person = circle.meet(names, merge=merge)
        if account:
            circle.join(person, account, START)
        await work.people.save(circle)
    return person


async def who(store: Store, *names: str) -> dict[str, Person]:
    """The persons behind names."""
    async with store.begin() as work:
        return await work.people.lock(set(names), merging=False)


async def keep(store: Store, *rejections: Rejection) -> None:
    """Keep these."""
    async with store.begin() as work:
        await work.rejections.add(rejections)


async def claimed(
    store: Store, selection: Selection = EVERYTHING, after: str = FIRST, limit: int = 9
) -> Sequence[Rejection]:
    """What is there to be tried again a day later."""
    async with store.begin() as work:
        return await work.rejections.claim(selection, after, START + timedelta(days=1), limit)


def names(rejections: Sequence[Rejection]) -> list[str | None]:
    """Of which messages these are."""
    return [each.message_id for each in rejections]


class PeopleContract:
    """Persons and decisions."""

    async def test_who_was_never_told_of_is_absent(self, store: Store) -> None:
        assert await who(store, "kim") == {}
        assert await who(store) == {}

    async def test_a_person_is_found_by_every_name(self, store: Store) -> None:
        await meet(store, "kim", "c-1", account="acme")

        kim = Person("kim", "acme", START)
        assert await who(store, "c-1", "lou") == {"c-1": kim, "kim": kim}

    async def test_names_that_nobody_spoke_of_go_along_when_two_become_one(self, store: Store) -> None:
        await meet(store, "old", "c-1", account="acme")
        await meet(store, "old", "c-2")
        await meet(store, "new", "old", merge=True)
        await meet(store, "newest", "new", merge=True)

        found = await who(store, "c-1", "c-2", "old", "new")
        assert set(found.values()) == {Person("newest", "acme", START)}

    async def test_an_account_may_change(self, store: Store) -> None:
        await meet(store, "kim", account="acme")
        await meet(store, "kim", account="globex")

        assert (await who(store, "kim"))["kim"].account == "globex"

    async def test_a_decision_stands_whatever_is_decided_later(self, store: Store) -> None:
        globex = Decision(digest=b"e", account="globex", person=None)
        async with store.begin() as work:
            await work.people.decide({key("a"): ACME}, START)
            await work.people.decide({key("a"): globex, key("b"): globex}, START)
            await work.people.decide({}, START)

        async with store.begin() as work:
            assert await work.people.decisions([key("a"), key("b"), key("c")]) == {
                key("a"): ACME,
                key("b"): globex,
            }
            assert await work.people.decisions([]) == {}


class RejectionsContract:
    """What is not on the log."""

    async def test_a_rejection_comes_back_as_it_was_kept(self, store: Store) -> None:
        odd = a_rejection("a", body=b"\x00\xff", message_id=None, context={"k": 'ü"\\u0000'}, digest=b"\x00")
        await keep(store, odd)

        assert list(await claimed(store)) == [odd]

    async def test_one_that_is_kept_twice_is_one_with_its_latest_reason(self, store: Store) -> None:
        twice = a_rejection("a", code="too_deep", reason="It is too deep.")
        await keep(store, a_rejection("a"), a_rejection("a"))
        await keep(store, twice)

        (row,) = await claimed(store)
        assert (row.code, row.reason) == ("too_deep", "It is too deep.")

    async def test_one_that_comes_back_after_it_was_replayed_is_open_again(self, store: Store) -> None:
        await keep(store, a_rejection("a"))
        async with store.begin() as work:
            await work.rejections.replayed([a_rejection("a").id], START)
        assert await claimed(store) == []

        await keep(store, a_rejection("a"))

        assert names(await claimed(store)) == ["a"]

    async def test_those_that_wait_are_known_by_their_messages(self, store: Store) -> None:
        await keep(store, waiting("a", "kim"), waiting("b", "lou"), a_rejection("c"))

        async with store.begin() as work:
            held = await work.rejections.held([key("a"), key("c"), key("d")])
            assert held == {key("a"): waiting("a", "kim")}
            await work.rejections.replayed([waiting("a", "kim").id], START)
            assert await work.rejections.held([key("a")]) == {}
            assert await work.rejections.held([]) == {}

    async def test_what_waits_for_a_person_is_let_go_once_the_oldest_first(self, store: Store) -> None:
        late = waiting("late", "kim", received_at=START + MINUTE)
        await keep(store, late, waiting("early", "kim"), waiting("other", "lou"))

        async with store.begin() as work:
            assert names(await work.rejections.release(["kim", "max"], 9)) == ["early", "late"]
            assert await work.rejections.release([], 9) == []
        async with store.begin() as work:
            assert list(await work.rejections.release(["kim"], 9)) == []
        assert names(await claimed(store)) == ["other"]

    async def test_no_more_is_let_go_than_asked_for_and_the_rest_is_found_again(self, store: Store) -> None:
        await meet(store, "kim", account="acme")
        await meet(store, "lou")
        rows = [waiting(str(n), "kim", received_at=START + n * MINUTE) for n in range(3)]
        await keep(store, *rows, waiting("other", "lou"))

        async with store.begin() as work:
            assert names(await work.rejections.release(["kim"], 2)) == ["0", "1"]
            assert list(await work.rejections.waiting_in_vain(9)) == ["kim"]
            assert names(await work.rejections.release(["kim"], 2)) == ["2"]
            assert list(await work.rejections.waiting_in_vain(9)) == []

    async def test_what_waits_goes_along_when_two_become_one(self, store: Store) -> None:
        await keep(store, waiting("a", "old"), waiting("b", "new"), waiting("c", "lou"), a_rejection("d"))

        async with store.begin() as work:
            await work.rejections.rename({"old": "new"})
            await work.rejections.rename({})
            assert set(names(await work.rejections.release(["new"], 9))) == {"a", "b"}

    async def test_pages_are_in_the_order_of_ids(self, store: Store) -> None:
        await keep(store, *(a_rejection(name) for name in "abcde"))
        everyone = await claimed(store)

        assert [each.id for each in everyone] == sorted(each.id for each in everyone)
        assert list(await claimed(store, limit=2)) == list(everyone[:2])
        assert list(await claimed(store, after=everyone[1].id)) == list(everyone[2:])

    @pytest.mark.parametrize(
        ("selection", "found"),
        [
            (Selection(), {"a", "b", "c"}),
            (Selection(source="crm"), {"a", "c"}),
            (Selection(code="unattributed"), {"c"}),
            (Selection(ids=(a_rejection("a").id, a_rejection("b").id), source="crm"), {"a"}),
            (Selection(ids=(a_rejection("none").id,)), set()),
        ],
    )
    async def test_only_what_is_selected_and_listed_is_given_out(
        self, store: Store, selection: Selection, found: set[str]
    ) -> None:
        later = waiting("d", "kim", listed_from=START + timedelta(days=2))
        await keep(store, a_rejection("a"), a_rejection("b", source="app"), waiting("c", "kim"), later)

        assert set(names(await claimed(store, selection))) == found

    async def test_what_is_refused_again_has_its_new_reason(self, store: Store) -> None:
        await keep(store, a_rejection("a"), a_rejection("b"))
        async with store.begin() as work:
            told = {a_rejection("a").id: ("too_deep", "Flatten it."), a_rejection("none").id: ("x", "y")}
            await work.rejections.refused_again(told)
            await work.rejections.refused_again({})

        assert {each.message_id: each.code for each in await claimed(store)} == {
            "a": "too_deep",
            "b": "invalid_data",
        }


class StoreContract(PeopleContract, RejectionsContract):
    """Inherit as `TestSomething(StoreContract)`."""

    async def test_what_fails_is_undone_as_a_whole(self, store: Store) -> None:
        async def fail() -> None:
            async with store.begin() as work:
                circle = Circle(await work.people.lock({"kim"}, merging=True))
                circle.join("kim", "acme", START)
                await work.people.save(circle)
                await work.people.decide({key("a"): ACME}, START)
                await work.rejections.add([a_rejection("a")])
                await work.contacts.merge([change(START, role="user")])
                await work.outbox.add([Message(CUSTOMER_EVENTS.name, b"acme", b"{}")])
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()

        assert await who(store, "kim") == {}
        assert await claimed(store) == []
        async with store.begin() as work:
            assert await work.people.decisions([key("a")]) == {}
            assert list(await work.contacts.move({"kim": "lou"})) == []
