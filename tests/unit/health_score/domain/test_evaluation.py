"""One look at an account: what crossed, what moved, what a reader sees, and how imports stay quiet."""

from copy import deepcopy

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import (
    DAY,
    NOW,
    account,
    card,
    fact,
    look_at,
    measure,
    model_of,
    thorough,
)

from health_score.domain.account import AccountState, fold
from health_score.domain.evaluation import BACKFILL_GRACE_S, Cause, Crossing, Evaluation, MovedPart, evaluate
from health_score.domain.fact import Fact
from health_score.domain.scorecard import Dimension, Threshold
from health_score.domain.signals import Count, Latest, Selector

SAID = measure("said", Latest(Selector(("survey",), value="score"), 180))
PAID = measure("paid", Latest(Selector(("invoice",), value="score")))
LOW = Threshold("low", "score", enter=50, exit=55, direction="below")
SLOW = Threshold("slow", "measure:said", enter=20, exit=30, direction="below", dwell_s=DAY)
CARD = card(Dimension("words", 1, (SAID,)), Dimension("money", 3, (PAID,)), thresholds=[LOW, SLOW])
MODEL = model_of(CARD)


def looked(state: AccountState, *facts: Fact, at: float = NOW) -> Evaluation:
    for each in facts:
        fold(MODEL, state, each)
    return look_at(MODEL, state, at)


def said(score: float, time: float = NOW, *, backfill: bool = False) -> Fact:
    return fact("survey", time, score=score, backfill=backfill)


def paid(score: float) -> Fact:
    return fact("invoice", score=score)


def test_a_look_tells_what_crossed_and_from_where_to_where() -> None:
    state = AccountState("acme")
    looked(state, said(80), paid(80))
    found = looked(state, paid(20))
    assert found.crossings == (Crossing("low", 1, "entered", "score", 50, before=80.0, after=35.0),)
    assert (found.band_before, found.assessment.band) == ("healthy", "at_risk")
    assert looked(state, paid(90)).crossings == (
        Crossing("low", 2, "left", "score", 55, before=35.0, after=87.5),
    )


def test_a_look_tells_which_parts_of_the_score_moved_the_largest_first() -> None:
    state = AccountState("acme")
    assert looked(state, said(80)).moved == (MovedPart("said", None, 80.0),)
    assert looked(state, paid(20)).moved == (MovedPart("said", 80.0, 20.0), MovedPart("paid", None, 15.0))
    assert looked(state, paid(24)).moved == (MovedPart("paid", 15.0, 18.0),)
    assert looked(state).moved == ()


def test_the_cause_is_handed_on() -> None:
    cause = Cause("source", ("a", "b"), event_at=NOW - 5, outreach=False)
    [found] = evaluate(MODEL, account(MODEL, [said(80)]), NOW, cause)
    assert (found.account_id, found.at, found.cause, found.card) == ("acme", NOW, cause, CARD)


def test_the_revision_grows_exactly_when_a_reader_could_see_a_difference() -> None:
    state = AccountState("acme")
    seen = [
        looked(state),
        looked(state),
        looked(state, said(80)),
        looked(state, fact("unheard.of")),
        looked(state, fact("csm.account.changed", plan="pro")),
        looked(state, fact("csm.account.changed", NOW + 1, plan="pro")),
        looked(state, said(80, NOW + 1)),
    ]
    assert [each.changed for each in seen] == [True, False, True, False, True, False, False]
    assert [each.revision for each in seen] == [1, 1, 2, 2, 3, 3, 3]


def test_that_a_measure_is_known_now_is_a_difference_though_it_is_only_watched() -> None:
    watched = measure("seats", Latest(Selector(("plan",), value="seats"), 30), weight=0, curve=None)
    model = model_of(card(Dimension("words", 1, (SAID, watched))))
    state = account(model, [said(80)])
    look_at(model, state)
    fold(model, state, fact("plan", seats=5))
    found = look_at(model, state)
    assert (found.changed, found.assessment.values["seats"]) == (True, 5.0)
    assert found.due == NOW + 30 * DAY
    assert look_at(model, state, NOW + 30 * DAY, "timer").changed


def test_a_type_that_a_selector_names_twice_is_folded_once() -> None:
    twice = measure("uses", Count(Selector(("use", "use")), 14))
    model = model_of(card(Dimension("all", 1, (twice,))))
    found = look_at(model, account(model, [fact("use")]))
    assert found.assessment.values["uses"] == 1.0


def test_a_crossing_at_a_dwells_end_is_a_difference_though_no_number_moved() -> None:
    state = AccountState("acme")
    first = looked(state, said(10), paid(90))
    assert first.due == NOW + DAY
    found = looked(state, at=NOW + DAY)
    assert [each.threshold for each in found.crossings] == ["slow"]
    assert (found.changed, found.moved) == (True, ())


def test_looking_again_at_what_was_not_kept_gives_the_same_numbers() -> None:
    state = AccountState("acme")
    looked(state, said(80), paid(80))
    again = deepcopy(state)
    assert looked(state, paid(20)).crossings == looked(again, said(80), paid(20)).crossings


def test_folding_counts_every_fact_and_remembers_the_newest_time() -> None:
    state = account(MODEL, [said(1, NOW), fact("unheard.of", NOW + 5), said(2, NOW - 9)])
    assert (state.folded, state.last_event_time) == (3, NOW + 5)


def test_an_import_takes_up_its_thresholds_unannounced() -> None:
    state = AccountState("acme")
    found = looked(state, said(10, backfill=True))
    assert (found.crossings, found.backfilling, found.changed) == ((), True, True)
    assert all(stands.inside for stands in state.thresholds.values())
    assert found.due == NOW + BACKFILL_GRACE_S


def test_what_an_import_settles_is_told_though_only_a_watched_number_moved() -> None:
    watched = measure("seats", Latest(Selector(("plan",), value="seats"), 30), weight=0, curve=None)
    few = Threshold("few", "measure:seats", enter=3, exit=4, direction="below")
    model = model_of(card(Dimension("words", 1, (SAID, watched)), thresholds=[few]))
    look_at(model, state := account(model, [said(80, backfill=True), fact("plan", NOW - 1, seats=5)]))
    fold(model, state, fact("plan", seats=2, backfill=True))
    found = look_at(model, state)
    assert (found.crossings, found.changed, found.inside) == ((), True, ("few",))


def test_what_comes_live_during_an_import_is_unannounced_too() -> None:
    state = AccountState("acme")
    looked(state, said(80, backfill=True))
    assert looked(state, said(10, NOW + 1), at=NOW + 60).crossings == ()


def test_an_import_ends_when_it_says_so() -> None:
    state = AccountState("acme")
    found = looked(state, said(10, backfill=True), fact("csm.backfill.ended"))
    assert (found.crossings, found.backfilling) == ((), False)
    assert [each.direction for each in looked(state, said(90, NOW + 1)).crossings] == ["left", "left"]


def test_an_end_in_a_later_batch_is_still_a_quiet_look() -> None:
    state = AccountState("acme")
    looked(state, said(80, backfill=True))
    found = looked(state, said(10, NOW + 1), fact("csm.backfill.ended"), at=NOW + 60)
    assert (found.crossings, found.backfilling) == ((), False)


def test_an_import_that_says_nothing_more_ends_after_a_while() -> None:
    state = AccountState("acme")
    first = looked(state, said(80, backfill=True))
    again = looked(state, said(70, NOW - 1, backfill=True), at=NOW + 60)
    assert (first.due, again.due) == (NOW + BACKFILL_GRACE_S, NOW + 60 + BACKFILL_GRACE_S)
    found = looked(state, at=NOW + 60 + BACKFILL_GRACE_S)
    assert (found.backfilling, found.changed) == (False, True)
    assert [each.threshold for each in looked(state, said(40, NOW + 2)).crossings] == ["low"]


def test_history_that_comes_after_the_end_begins_a_new_import() -> None:
    state = AccountState("acme")
    found = looked(state, fact("csm.backfill.ended"), said(10, backfill=True))
    assert (found.crossings, found.backfilling) == ((), True)


def test_an_end_without_an_import_silences_nothing() -> None:
    assert len(looked(AccountState("acme"), fact("csm.backfill.ended"), said(10), paid(10)).crossings) == 1


history = st.lists(
    st.tuples(st.sampled_from([said, paid]), st.integers(0, 100), st.integers(0, 3)), max_size=12
)


@thorough
@given(history, st.sets(st.integers(0, 12)), st.sets(st.integers(0, 12)))
def test_whoever_keeps_what_was_told_last_knows_the_thresholds_an_account_is_inside_of(
    history: list[tuple[object, int, int]], imported: set[int], ended: set[int]
) -> None:
    known: tuple[str, ...] = ()
    state, now = AccountState("acme"), NOW
    for index, (told, score, wait) in enumerate(history):
        now += wait * DAY
        each = fact("survey" if told is said else "invoice", now, score=score, backfill=index in imported)
        found = looked(state, each, *([fact("csm.backfill.ended")] if index in ended else []), at=now)
        known = found.inside if found.changed else known
        assert set(known) == {name for name, stands in state.thresholds.items() if stands.inside}


@thorough
@given(history)
def test_thresholds_alternate_and_numbers_have_no_gaps(history: list[tuple[object, int, int]]) -> None:
    crossings: list[Crossing] = []
    state, now = AccountState("acme"), NOW
    for told, score, wait in history:
        now += wait * DAY
        each = fact("survey" if told is said else "invoice", now, score=score)
        crossings += looked(state, each, at=now).crossings
    for name in ("low", "slow"):
        own = [(each.sequence, each.direction) for each in crossings if each.threshold == name]
        assert own == [(at + 1, "left" if at % 2 else "entered") for at in range(len(own))]
