"""Whose account a message is about: told with it, known by its user, or known only later."""

from tests.unit.ingest.door import Door, open_door
from tests.unit.ingest.intake.product import accounts, facts, listed, restarted, send
from tests.unit.ingest.sdk.samples import call


def group(account: str, user: str = "kim", at: str = "08:00:00", key: str = "") -> dict[str, object]:
    """A call that puts a user into an account."""
    key = key or f"{user}-{account}"
    return call("group", messageId=key, userId=user, groupId=account, timestamp=f"2026-03-02T{at}Z")


async def test_what_waits_goes_with_a_call_of_the_same_request(door: Door) -> None:
    early, cookie = call(messageId="m-1", userId="kim"), call(messageId="m-2", userId=None, anonymousId="c-1")
    login = call("identify", messageId="m-3", userId="kim", anonymousId="c-1")

    assert await send(door, early, cookie, login, group("acme")) == {"accepted": 4}

    assert accounts(door) == dict.fromkeys(["m-1", "m-2", "m-3", "kim-acme"], "acme")
    assert {each["data"].get("user_id") for each in facts(door)} == {"kim", None}
    assert not door.rejections


async def test_what_is_let_go_is_on_the_log_once(door: Door) -> None:
    assert await send(door, call(userId="kim")) == {"held": 1}
    assert await send(door, group("acme")) == {"accepted": 1}
    assert await send(door, group("acme", at="08:30:00", key="again")) == {"accepted": 1}

    assert [each["id"] for each in facts(door)].count("m-1") == 1
    assert not door.rejections


async def test_a_login_takes_along_what_was_done_before_it(door: Door) -> None:
    await send(door, call(messageId="m-1", userId=None, anonymousId="c-1"))
    await send(door, group("acme"))
    assert "m-1" not in accounts(door)

    await send(door, call("identify", messageId="m-2", userId="kim", anonymousId="c-1"))

    assert accounts(door)["m-1"] == "acme"
    used = [each["data"]["user_id"] for each in facts(door) if each["id"] == "m-1"]
    assert used == ["kim"]


async def test_who_shares_a_browser_stays_somebody_else(door: Door) -> None:
    await send(door, group("acme"), group("globex", user="lou"))
    await send(door, call("identify", messageId="m-1", userId="kim", anonymousId="c-1"))
    await send(door, call("identify", messageId="m-2", userId="lou", anonymousId="c-1"))

    await send(
        door, call(messageId="m-3", userId="lou", anonymousId="c-1"), call(messageId="m-4", userId="kim")
    )

    assert {key: accounts(door)[key] for key in ("m-3", "m-4")} == {"m-3": "globex", "m-4": "acme"}


async def test_an_alias_holds_from_either_side(door: Door) -> None:
    await send(door, call(messageId="m-1", userId="new"), call(messageId="m-2", userId="old"))
    await send(door, call("alias", messageId="m-3", userId="new", previousId="old"))
    assert facts(door) == []

    await send(door, group("acme", user="old"))
    await send(door, call(messageId="m-4", userId="old"), call(messageId="m-5", userId="new"))

    assert accounts(door) == dict.fromkeys(["m-1", "m-2", "m-4", "m-5", "old-acme"], "acme")
    assert {each["data"]["user_id"] for each in facts(door) if "feature" in each["data"]} == {"new"}


async def test_who_moves_takes_nothing_along(door: Door) -> None:
    before, after = call(messageId="m-1", userId="kim"), call(messageId="m-2", userId="kim")
    await send(door, group("acme"), before)
    await send(door, group("globex", at="08:30:00"), after)

    door = restarted(door)
    assert await send(door, before, after, group("acme")) == {"accepted": 3}
    await send(door, call(messageId="m-3", userId="kim"))

    assert accounts(door) == {
        "m-1": "acme", "kim-acme": "acme", "m-2": "globex", "kim-globex": "globex", "m-3": "globex",
    }  # fmt: skip


async def test_calls_without_a_time_change_nothing_when_they_are_sent_again(door: Door) -> None:
    first, second = (call("group", messageId=each, groupId=each, timestamp=None) for each in ("a", "b"))
    await send(door, first, second)
    await send(restarted(door), first)

    await send(door, call(messageId="m-1"))

    assert accounts(door)["m-1"] == "b"


async def test_a_message_that_tells_its_account_needs_no_tables(door: Door) -> None:
    door.store.away = True
    told = call(userId="kim", context={"groupId": "acme"})

    assert await send(door, told) == {"accepted": 1}

    assert accounts(door) == {"m-1": "acme"}


async def test_the_account_told_with_a_message_goes_before_the_users_own(door: Door) -> None:
    await send(door, group("acme"))

    await send(door, call(messageId="m-1", userId="kim", anonymousId="c-1", context={"groupId": "globex"}))
    await send(door, call(messageId="m-2", userId="kim"))

    assert accounts(door) == {"kim-acme": "acme", "m-1": "globex", "m-2": "acme"}


async def test_a_batch_of_one_person_twice_names_them_as_they_are_known_at_its_end(door: Door) -> None:
    told = call("identify", messageId="m-1", userId="old", traits={"email": "kim@acme.example"})
    await send(door, group("acme", user="old"))

    await send(door, told, call("alias", messageId="m-2", userId="new", previousId="old"))

    assert [each["data"]["contact_id"] for each in facts(door) if each["id"] == "m-1"] == ["new"]
    assert list(door.store.tables.contacts.known) == [("acme", "new")]


async def test_a_group_that_is_refused_puts_nobody_anywhere() -> None:
    plans = [{"source": "sdk/*", "mode": "reject", "events": {"group": {"required": ["plan"]}}}]
    door = open_door(configuration={"plans": plans})

    assert await send(door, group("acme"), call(userId="kim")) == {"held": 1, "rejected": 1}

    assert facts(door) == []
    assert await listed(door) == {"kim-acme": "plan_violation"}
