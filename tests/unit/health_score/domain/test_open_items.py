"""What is open right now: what was told stands, a closing closes, and the windows in which this is exact."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import DAY, NOW, fact, folded, number_of, thorough

from health_score.domain.fact import Fact
from health_score.domain.signals import Open, Selector

TICKET = "csm.ticket.changed"
WEIGHED = Open(
    Selector((TICKET,)),
    item="ticket_id",
    open_when={"status": ("open", "pending")},
    weights={"priority": {"low": 0.5, "urgent": 4.0}, "escalated": {True: 2.0}},
    expires_days=90,
)


def ticket(time: float, id_: str = "t1", **data: Any) -> Fact:
    return fact(TICKET, NOW + time * DAY, ticket_id=id_, **data)


def weight(*facts: Fact, days: float = 0) -> float | None:
    return number_of(WEIGHED, facts, NOW + days * DAY)


def test_open_items_add_up_by_priority_and_escalation() -> None:
    assert weight(ticket(0, "a", status="open")) == 1.0
    assert (
        weight(
            ticket(0, "a", status="open", priority="low"), ticket(0, "b", status="pending", priority="odd")
        )
        == 1.5
    )
    assert weight(ticket(0, status="open", priority="urgent", escalated=True)) == 8.0


def test_what_was_told_stands_until_told_otherwise() -> None:
    opened = ticket(0, status="open", priority="urgent", escalated=True)
    assert weight(opened, ticket(1, status="pending")) == 8.0
    assert weight(opened, ticket(1, priority="low")) == 1.0
    assert weight(opened, ticket(1, status="pending", escalated=False)) == 4.0


def test_a_closing_clears_what_was_told() -> None:
    opened = ticket(0, status="open", priority="urgent")
    assert weight(opened, ticket(1, status="solved")) == 0.0
    assert weight(opened, ticket(1, status="solved"), ticket(2, status="open")) == 1.0


def test_an_item_of_which_no_status_is_known_is_not_open() -> None:
    assert weight(ticket(0, priority="urgent")) == 0.0


def test_nothing_open_is_believed_for_a_while_and_something_open_for_as_long_as_it_is() -> None:
    assert weight() is None
    assert weight(ticket(0, status="solved"), days=89.9) == 0.0
    assert weight(ticket(0, status="solved"), days=90) is None
    assert weight(ticket(0, status="open"), days=300) == 1.0


def test_a_fact_that_tells_nothing_of_an_item_is_no_match() -> None:
    nothing_known, no_item = ticket(0, topic="billing"), fact(TICKET, NOW, status="open")
    odd_item = fact(TICKET, NOW, ticket_id=7, status="open")
    assert folded(WEIGHED, [nothing_known, no_item, odd_item]) is None


def test_conditions_choose_items_by_what_never_changes() -> None:
    billing = Open(Selector((TICKET,), where={"topic": ("billing",)}), "ticket_id", {"status": ("open",)})
    facts = [ticket(0, "a", status="open", topic="billing"), ticket(0, "b", status="open", topic="login")]
    assert number_of(billing, facts) == 1.0


def test_a_late_opening_does_not_open_what_was_closed_up_to_closed_days_ago() -> None:
    closed, elsewhere, late = (
        ticket(0, status="solved"),
        ticket(29, "t2", status="solved"),
        ticket(-1, status="open"),
    )
    assert weight(closed, elsewhere, late) == 0.0


def test_closings_are_forgotten_after_closed_days_and_what_is_not_repeated_after_open_days() -> None:
    state = folded(
        WEIGHED,
        [ticket(0, status="solved"), ticket(1, "t2", status="open"), ticket(40, "t3", status="solved")],
    )
    assert list(state.closed) == ["t3"]
    assert list(state.items) == ["t2"]
    assert list(WEIGHED.fold(state, ticket(400, "t4", status="open")).items) == ["t4"]  # type: ignore[union-attr]


def test_what_is_older_than_open_days_is_not_taken_up() -> None:
    assert weight(ticket(400, "t2", status="solved"), ticket(0, status="open")) == 0.0


ids = st.sampled_from(["t1", "t2", "t3"])
told = st.fixed_dictionaries(
    {
        "status": st.sampled_from([None, "open", "solved"]),
        "priority": st.sampled_from([None, "urgent"]),
        "escalated": st.sampled_from([None, True, False]),
    }
)
histories = st.lists(st.tuples(st.integers(0, 900), ids, told), max_size=14).map(
    lambda found: [
        Fact(f"e{at:02}", TICKET, "acme", NOW + day * DAY, {"ticket_id": id_, **data})
        for at, (day, id_, data) in enumerate(sorted(found, key=lambda each: each[0]))
    ]
)


@thorough
@given(histories, st.data())
def test_items_may_arrive_in_any_order_among_each_other_however_old(
    facts: list[Fact], data: st.DataObject
) -> None:
    order = data.draw(st.permutations([each.data["ticket_id"] for each in facts]))
    queues = {id_: iter([each for each in facts if each.data["ticket_id"] == id_]) for id_ in set(order)}
    assert folded(WEIGHED, [next(queues[id_]) for id_ in order]) == folded(WEIGHED, facts)


@thorough
@given(histories, st.data())
def test_any_order_is_the_same_while_nothing_is_late_by_more_than_closed_days(
    facts: list[Fact], data: st.DataObject
) -> None:
    delays = data.draw(st.lists(st.integers(0, 29), min_size=len(facts), max_size=len(facts)))
    arriving = sorted(zip(facts, delays, strict=True), key=lambda each: each[0].time + each[1] * DAY)
    assert folded(WEIGHED, [each for each, _ in arriving]) == folded(WEIGHED, facts)


@thorough
@given(histories)
def test_memory_is_bounded_by_the_windows(facts: list[Fact]) -> None:
    state = folded(WEIGHED, facts)
    if state is not None:
        newest_day = state.newest // DAY
        assert all(time // DAY >= newest_day - 30 for time, _ in state.closed.values())
        assert all(
            each[0] // DAY >= newest_day - 365 for told in state.items.values() for each in told.values()
        )
