"""The one writer of an account, on fakes: every fact counts once, and crossings are told once."""

from datetime import datetime, timedelta
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.health_score import (
    EPOCH,
    escalation,
    event,
    record,
)
from tests.unit.health_score.application.owner import PARTITION, TX, Owner, commit, crossings

from health_score.domain.thresholds import OUTSIDE


async def test_escalations_announce_a_crossing_that_says_why() -> None:
    owner = Owner()
    await commit(await owner.start(), *(record(n, escalation(f"e{n}", "acme", f"t{n}")) for n in range(3)))
    assert crossings(owner) == [("at_risk", "entered"), ("critical", "entered")]
    told = owner.outbox.told("health.crossings.v1")[0]["data"]
    assert told["cause"] == {
        "kind": "facts",
        "fact_ids": ["e0", "e1", "e2"],
        "outreach": True,
        "facts": [
            {"id": f"e{n}", "type": "csm.ticket.changed", "occurred_at": "2026-01-01T00:00:00Z"}
            for n in range(3)
        ],
    }
    assert told["snapshot"]["score"] == told["after"] < 25
    assert told["snapshot"]["thresholds"] == ["at_risk", "critical"]
    assert {part["measure"] for part in told["parts"]} == {"open_tickets", "escalations"}


async def test_of_many_facts_the_last_are_told_the_same_ones_by_id_and_in_full() -> None:
    owner = Owner()
    at = [EPOCH + timedelta(microseconds=123_457 * n) for n in range(25)]
    facts = [record(n, escalation(f"e{n}", "acme", f"t{n}", time=at[n])) for n in range(25)]
    await commit(await owner.start(), *facts)
    cause = owner.outbox.told("health.crossings.v1")[0]["data"]["cause"]
    assert cause["fact_ids"] == [each["id"] for each in cause["facts"]] == [f"e{n}" for n in range(5, 25)]
    assert [datetime.fromisoformat(each["occurred_at"]) for each in cause["facts"]] == at[5:]


async def test_what_was_told_and_lost_is_told_by_the_next_owner_byte_for_byte() -> None:
    owner = Owner()
    facts = [record(n, escalation(f"e{n}", "acme", f"t{n}")) for n in range(3)]
    first = await owner.start()
    with owner.rolled_back(first):
        await first.handle(TX, facts)
        lost = list(owner.outbox.messages)
    await (await owner.start()).handle(TX, facts)
    assert lost
    assert owner.outbox.messages == lost


async def test_a_repeat_has_no_effect_in_the_same_batch_a_later_one_or_another_process() -> None:
    owner = Owner()
    first = escalation("e1", "acme", "t1")
    handler = await owner.start()
    await commit(handler, record(0, first), record(1, first))
    await commit(handler, record(2, first))
    await commit(await owner.start(), record(3, first))
    assert owner.accounts.rows["acme"].state.folded == 1
    assert (owner.intake.counts[0].folded, owner.intake.counts[0].repeated) == (1, 3)


async def test_the_time_alone_makes_no_other_body() -> None:
    owner = Owner()
    handler = await owner.start()
    await commit(handler, record(0, escalation("e1", "acme", "t1")))
    outcome = await commit(
        handler, record(1, escalation("e1", "acme", "t1", time=EPOCH + timedelta(seconds=9)))
    )
    assert not outcome.dead_letters
    assert owner.intake.counts[0].repeated == 1


async def test_the_way_it_is_written_makes_no_other_body() -> None:
    owner = Owner()
    handler = await owner.start()
    first = escalation("e1", "acme", "Ticket é")
    turned = first | {"data": dict(reversed(first["data"].items()))}
    spaced = msgspec.json.format(msgspec.json.encode(first), indent=1)
    outcome = await commit(handler, record(0, first), record(1, spaced), record(2, turned))
    assert not outcome.dead_letters
    assert owner.intake.counts[0].repeated == 2


@pytest.mark.parametrize("together", [True, False])
async def test_a_known_id_with_another_body_is_a_visible_conflict(together: bool) -> None:
    owner = Owner()
    handler = await owner.start()
    first, second = record(0, escalation("e1", "acme", "t1")), record(1, escalation("e1", "acme", "t2"))
    if together:
        outcome = await commit(handler, first, second)
    else:
        await commit(handler, first)
        outcome = await commit(handler, second)
    assert [(each.record, each.code, each.poison) for each in outcome.dead_letters] == [
        (second, "conflicting_id", False)
    ]
    assert owner.intake.counts[0].conflicting == 1


@pytest.mark.parametrize("value", [b"{", b"[]", b'{"id":"x"}', b"\xff"])
async def test_what_cannot_be_decoded_is_a_dead_letter_and_the_rest_counts(value: bytes) -> None:
    owner = Owner()
    outcome = await commit(await owner.start(), record(0, value), record(1, escalation("e1", "acme", "t1")))
    assert [(each.code, each.poison) for each in outcome.dead_letters] == [("undecodable", True)]
    assert (owner.intake.counts[0].undecodable, owner.intake.counts[0].folded) == (1, 1)


async def test_data_that_is_no_object_breaks_the_batch_so_that_the_consumer_isolates_it() -> None:
    owner = Owner()
    with pytest.raises(ValueError, match="Expected `object`"):
        await commit(await owner.start(), record(0, event("e1", "acme", "custom", cast("Any", []))))


async def test_after_a_failed_transaction_memory_does_not_run_ahead() -> None:
    owner = Owner()
    handler = await owner.start()
    await commit(handler, record(0, escalation("e1", "acme", "t1")))
    with owner.rolled_back(handler):
        await handler.handle(TX, [record(1, escalation("e2", "acme", "t2"))])
    await commit(handler, record(1, escalation("e2", "acme", "t2")))
    assert owner.accounts.rows["acme"].state.folded == 2


async def test_a_fact_that_left_the_window_counts_again_and_the_journal_stays_bounded() -> None:
    owner = Owner(most_facts=2)
    handler = await owner.start()
    for n in range(5):
        await commit(handler, record(n, escalation(f"e{n}", "acme", f"t{n}")))
    assert sum(len(entry.facts) for entry in owner.journal.entries[0]) <= 3
    await commit(handler, record(5, escalation("e0", "acme", "t0")))
    assert owner.intake.counts[0].folded == 6


async def test_silence_is_announced_at_the_instant_that_was_foretold() -> None:
    owner = Owner()
    handler = await owner.start()
    used = (event(f"u{n}", "acme", "csm.usage.recorded", {"feature": "login"}) for n in range(20))
    await commit(handler, *(record(n, each) for n, each in enumerate(used)))
    announced = 0
    while (due := handler.next_due()) is not None and not crossings(owner):
        announced += 1
        assert announced < 20
        owner.clock.set(due)
        (await handler.handle_due(TX, [PARTITION], due)).committed()
    assert crossings(owner)[0] == ("at_risk", "entered")
    told = owner.outbox.told("health.crossings.v1")[0]["data"]
    assert told["cause"]["kind"] == "timer"
    assert EPOCH + timedelta(days=3) < owner.clock.now() < EPOCH + timedelta(days=60)


async def test_a_backfill_is_silent_until_its_end_and_a_later_fact_is_not() -> None:
    owner = Owner()
    handler = await owner.start()
    past = [record(n, escalation(f"e{n}", "acme", f"t{n}", backfill=True)) for n in range(3)]
    end = event("end", "acme", "csm.backfill.ended", {}, backfill=True)
    await commit(handler, *past)
    await commit(handler, record(3, end))
    assert crossings(owner) == []
    assert owner.outbox.told("health.accounts.v1")[-1]["data"]["band"] == "critical"
    solved = [
        event(
            f"s{n}",
            "acme",
            "csm.ticket.changed",
            {"ticket_id": f"t{n}", "status": "solved"},
            time=EPOCH + timedelta(1),
        )
        for n in range(3)
    ]
    owner.clock.set(EPOCH + timedelta(days=1))
    await commit(handler, *(record(4 + n, each) for n, each in enumerate(solved)))
    assert ("at_risk", "left") in crossings(owner)


events = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 5), st.booleans(), st.integers(0, 1_000)),
    max_size=25,
    unique=True,
)


@settings(max_examples=60, deadline=None)
@given(events, st.lists(st.integers(1, 7), min_size=1), st.randoms(use_true_random=False))
async def test_any_split_into_batches_with_crashes_between_gives_the_same_states(
    drawn: list[tuple[str, int, bool, int]], sizes: list[int], random: Any
) -> None:
    records = [
        record(
            offset,
            event(
                f"e{offset}",
                account,
                "csm.ticket.changed",
                {"ticket_id": f"t{ticket}", "status": "open" if still else "solved"},
                time=EPOCH + timedelta(minutes=minute),
            ),
        )
        for offset, (account, ticket, still, minute) in enumerate(drawn)
    ]
    whole, split = Owner(), Owner()
    await commit(await whole.start(), *records)
    handler, rest, turn = await split.start(), list(records), 0
    while rest:
        size = sizes[turn % len(sizes)]
        await commit(handler, *rest[:size])
        if random.random() < 0.3:  # ended after the commit, before Kafka knew: everything comes again
            handler = await split.start()
            await commit(handler, *records[: records.index(rest[0]) + size])
        rest, turn = rest[size:], turn + 1
    assert {a: r.state.signals for a, r in whole.accounts.rows.items()} == {
        a: r.state.signals for a, r in split.accounts.rows.items()
    }


async def test_what_our_own_services_tell_is_counted_apart() -> None:
    owner = Owner()
    told = event(
        "o1", "acme", "csm.outreach.changed", {"id": "n1", "status": "delivered"}, source="/csm/notifier"
    )
    await commit(await owner.start(), record(0, told), record(1, escalation("e1", "acme", "t1")))
    assert (owner.intake.counts[0].folded, owner.intake.counts[0].outcomes) == (1, 1)
    assert owner.accounts.rows["acme"].state.folded == 2


@pytest.mark.parametrize("size", [1, 2, 3, 40])
async def test_how_a_history_is_split_does_not_decide_where_its_thresholds_stand(size: int) -> None:
    owner = Owner()
    handler = await owner.start()
    # On the way it is worse than where it ends: between the levels at which at_risk is entered and left.
    story = [
        *(escalation(f"e{n}", "acme", f"t{n}", backfill=True) for n in range(3)),
        *(
            event(
                f"s{n}",
                "acme",
                "csm.ticket.changed",
                {"ticket_id": f"t{n}", "status": "solved"},
                backfill=True,
            )
            | {"time": EPOCH + timedelta(minutes=1)}
            for n in range(3)
        ),
        event("m", "acme", "csm.sentiment.recorded", {"sentiment": 10}, backfill=True),
        event("n", "acme", "csm.survey.answered", {"kind": "nps", "score": 0}, backfill=True),
        event("end", "acme", "csm.backfill.ended", {}, backfill=True),
    ]
    records = [record(n, each) for n, each in enumerate(story)]
    for first in range(0, len(records), size):
        await commit(handler, *records[first : first + size])
    state = owner.accounts.rows["acme"].state
    assert state.last is not None
    assert state.last.score is not None
    assert 50 <= state.last.score < 55
    assert not state.thresholds.get("at_risk", OUTSIDE).inside
