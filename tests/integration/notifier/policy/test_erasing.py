"""What an erasure leaves of the contact policy's tables."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.desk import Desk
from tests.support.clock import START
from tests.unit.notifier.builders import RECIPIENT, a_notification

from notifier.adapters.persons import load_person_of
from notifier.application.handlers.ruling import Case, rule
from notifier.application.ports import OpenWork
from notifier.domain.digest import digest_of
from notifier.domain.notification import Wanted
from notifier.domain.policy import ClassRules, ContactPolicy, Suppression

LATER = START + timedelta(days=1)
CAPPED = ContactPolicy(classes={"internal": ClassRules(caps=True)})


async def known(open_work: OpenWork) -> None:
    """Kim of acme was written to, and has unsubscribed."""
    case = Case(a_notification(), RECIPIENT, "p-kim")
    async with open_work() as work:
        await work.notifications.add([case.notification], START)
        await rule(work, [case], CAPPED, START)
        of_kim = Suppression(
            id="s-1",
            person="p-kim",
            category=None,
            reason="unsubscribed",
            since=START,
            account_id="acme",
            contact_id="kim",
            notification_id="n-1",
            note="by the link",
        )
        await work.suppressions.add([of_kim])


async def left(engine: AsyncEngine) -> tuple[int, list[str]]:
    """How many rows the history has, and the reasons of decisions."""
    async with engine.connect() as connection:
        history = await connection.scalar(text("SELECT count(*) FROM contacted"))
        return history or 0, list(await connection.scalars(text("SELECT reason FROM decisions")))


async def test_of_an_account_a_bare_pseudonym_is_left_that_is_not_written_to(
    open_work: OpenWork, engine: AsyncEngine
) -> None:
    await known(open_work)
    assert await left(engine) == (1, ["nothing speaks against it"])
    async with open_work() as work:
        await work.erasures.of_accounts({"acme": LATER})
        found = (await work.suppressions.of(["p-kim"]))["p-kim"]
    assert await left(engine) == (0, ["erased"])
    bare = Suppression(id="s-1", person="p-kim", category=None, reason="unsubscribed", since=START)
    assert found == [bare]


async def test_of_a_contact_likewise(engine: AsyncEngine) -> None:
    desk = Desk(engine)
    asked = a_notification(recipients=(Wanted("contact", "kim"),))
    await desk.take_in(asked)
    await desk.round()
    async with desk.open_work() as work:
        await work.suppressions.add(
            [
                Suppression(
                    id=f"s-{contact}",
                    person="p",
                    category=contact,
                    reason="manual",
                    since=START,
                    account_id="acme",
                    contact_id=contact,
                    note="asked by phone",
                )
                for contact in ("kim", "lee")
            ]
        )
        await work.erasures.of_contacts({("acme", "kim"): LATER})
        notes = {each.id: each.note for each in (await work.suppressions.of(["p"]))["p"]}
    assert notes == {"s-kim": None, "s-lee": "asked by phone"}
    assert await left(engine) == (0, ["erased"])


async def test_an_erased_account_leaves_the_digests_about_others(
    open_work: OpenWork, engine: AsyncEngine
) -> None:
    items = [a_notification("a", account_id="beta"), a_notification("b")]
    digest = digest_of("d", items, RECIPIENT, START)
    alone = digest_of("e", [a_notification("c")], RECIPIENT, START)
    alone = type(alone)(**{**{n: getattr(alone, n) for n in alone.__slots__}, "account_id": "beta"})
    async with open_work() as work:
        await work.notifications.add([*items, a_notification("c"), digest, alone], START)
        await work.tx.execute(  # type: ignore[attr-defined]
            text(
                "UPDATE notifications SET status = 'folded', wake_at = NULL,"
                " folded_into = CASE WHEN id = 'c' THEN 'e' ELSE 'd' END WHERE id IN ('a', 'b', 'c')"
            )
        )
        await work.erasures.of_accounts({"acme": LATER})
        rest = await work.notifications.find("d")
        empty = await work.notifications.find("e")
    assert rest is not None
    assert empty is not None
    assert [each["notification_id"] for each in rest[0].context["items"]] == ["a"]
    assert (rest[1], empty[1]) == ("pending", "cancelled")


async def test_pseudonyms_are_the_same_for_all_spellings_and_all_replicas(engine: AsyncEngine) -> None:
    one, two = await load_person_of(engine), await load_person_of(engine)
    assert one(" Kim@Vendor.example") == two("kim@vendor.EXAMPLE")
    assert len(one("kim@vendor.example")) == 32
    assert one("kim@vendor.example") != one("lee@vendor.example")
