"""Erasure at the one writer of an account: nothing is left of it, and nothing but a new fact brings it back."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.health_score import escalation, event, record
from tests.unit.health_score.application.owner import Owner, commit, crossings

from csm_common.contracts.topics import HEALTH_ACCOUNTS, HEALTH_CROSSINGS
from csm_common.kafka.record import Record


def erasure(offset: int, account: str = "acme", id: str = "x1") -> Record:
    """The account is to be erased."""
    data = {"erasure_id": "erasure-1"}
    return record(offset, event(id, account, "csm.account.erased", data, source="/csm/ingest"))


def contact_erasure(offset: int, contact: str, account: str = "acme") -> Record:
    """A contact of the account is to be erased."""
    data = {"contact_id": contact}
    return record(offset, event(f"x-{contact}", account, "csm.contact.erased", data, source="/csm/ingest"))


def worse(first: int, ids: str = "e") -> list[Record]:
    """Three escalations, which make acme critical."""
    return [record(first + n, escalation(f"{ids}{n}", "acme", f"t{n}")) for n in range(3)]


def told(owner: Owner, topic: str) -> list[str | None]:
    """The ids of what was told on a topic, None for tombstones."""
    kept = [each for each in owner.outbox.messages if each.topic == topic]
    return [None if each.value is None else owner.outbox.decoded(each)["id"] for each in kept]


async def test_nothing_is_left_of_an_erased_account_and_its_readers_are_told() -> None:
    owner = Owner()
    handler = await owner.start()
    await commit(handler, *worse(0))
    await commit(handler, erasure(3))
    assert owner.accounts.rows == {}
    assert told(owner, HEALTH_ACCOUNTS.name)[-1] is None
    last = owner.outbox.told(HEALTH_CROSSINGS.name)[-1]
    assert (last["type"], last["subject"], last["data"]) == (
        "csm.account.erased",
        "acme",
        {"erasure_id": "erasure-1"},
    )


@pytest.mark.parametrize("together", [True, False])
async def test_it_begins_afresh_with_the_next_fact_behind_all_that_was_told_before(together: bool) -> None:
    owner = Owner()
    handler = await owner.start()
    await commit(handler, *worse(0))
    before = owner.accounts.rows["acme"].state.revision
    if together:
        await commit(handler, erasure(3), *worse(4, "f"))
    else:
        await commit(handler, erasure(3))
        await commit(await owner.start(), *worse(4, "f"))
    state = owner.accounts.rows["acme"].state
    assert state.folded == 3
    assert state.revision > before
    assert crossings(owner) == [("at_risk", "entered"), ("critical", "entered")] * 2
    ids = [each for each in told(owner, HEALTH_CROSSINGS.name) if each]
    assert len(set(ids)) == len(ids)


async def test_what_stands_before_the_erasure_in_its_batch_is_void() -> None:
    owner = Owner()
    await commit(await owner.start(), *worse(0), erasure(3))
    assert owner.accounts.rows == {}
    assert crossings(owner) == []


async def test_another_account_of_the_batch_is_left_alone() -> None:
    owner = Owner()
    await commit(await owner.start(), record(0, escalation("e1", "other", "t1")), *worse(1), erasure(4))
    assert set(owner.accounts.rows) == {"other"}


async def test_a_redelivered_erasure_does_not_erase_what_came_since() -> None:
    owner = Owner()
    handler = await owner.start()
    await commit(handler, erasure(0), *worse(1))
    await commit(await owner.start(), erasure(0))
    assert owner.accounts.rows["acme"].state.folded == 3


@pytest.mark.parametrize("told", [erasure(0), contact_erasure(0, "kim")])
async def test_an_erasure_makes_no_account(told: Record) -> None:
    owner = Owner()
    handler = await owner.start()
    await commit(handler, told)
    assert owner.accounts.rows == {}
    assert owner.outbox.told(HEALTH_ACCOUNTS.name) == []
    await commit(handler, *worse(1))
    assert owner.accounts.rows["acme"].state.folded == 3


async def test_what_our_services_still_had_to_tell_does_not_bring_it_back() -> None:
    owner = Owner()
    handler = await owner.start()
    outcome: dict[str, Any] = {"id": "n1", "status": "delivered"}
    late = event("o1", "acme", "csm.outreach.changed", outcome, source="/csm/notifier")
    await commit(handler, *worse(0))
    await commit(handler, erasure(3), record(4, late))
    assert owner.accounts.rows == {}


async def test_an_erased_contact_is_no_longer_named_by_the_account() -> None:
    owner = Owner()
    handler = await owner.start()
    data = {"name": "Acme", "owner": "kim", "attributes": {"sponsors": ["lee", "kim"], "tier": "kimono"}}
    await commit(handler, record(0, event("a1", "acme", "csm.account.changed", data)))
    before = owner.accounts.rows["acme"].state.revision
    await commit(handler, contact_erasure(1, "kim"))
    state = owner.accounts.rows["acme"].state
    assert state.attributes == {"name": "Acme", "tier": "kimono"}
    assert state.revision == before + 1
    late = event("a2", "acme", "csm.account.changed", {"owner": "kim"})
    await commit(handler, record(2, late | {"time": "2025-12-01T00:00:00Z"}))
    assert "owner" not in owner.accounts.rows["acme"].state.attributes


async def test_after_a_failed_transaction_the_account_is_still_there() -> None:
    owner = Owner()
    handler = await owner.start()
    await commit(handler, *worse(0))
    with owner.rolled_back(handler):
        await handler.handle(owner.tx, [erasure(3)])
    await commit(handler, record(3, escalation("e9", "acme", "t9")))
    assert owner.accounts.rows["acme"].state.folded == 4


events = st.lists(st.sampled_from(["fact", "erasure", "contact"]), max_size=12)


@settings(max_examples=60, deadline=None)
@given(events, st.integers(1, 5), st.booleans())
async def test_however_batches_fall_what_came_behind_the_last_erasure_counts(
    drawn: list[str], size: int, restarts: bool
) -> None:
    make = {
        "fact": lambda n: record(n, escalation(f"e{n}", "acme", f"t{n}")),
        "erasure": lambda n: erasure(n, id=f"x{n}"),
        "contact": lambda n: contact_erasure(n, f"c{n}"),
    }
    records = [make[kind](number) for number, kind in enumerate(drawn)]
    owner = Owner()
    handler = await owner.start()
    for first in range(0, len(records), size):
        await commit(handler, *records[first : first + size])
        if restarts:
            handler = await owner.start()
    behind = drawn[len(drawn) - drawn[::-1].index("erasure") :] if "erasure" in drawn else drawn
    begun = behind[behind.index("fact") :] if "fact" in behind else []
    folded = {account: each.state.folded for account, each in owner.accounts.rows.items()}
    assert folded == ({"acme": len(begun)} if begun else {})
