"""An account under changing scorecards, overrides and silences: what is told is consistent, whatever comes in which order."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.health_score.domain.examples import DAY, NOW, card, fact, measure, model_of, thorough

from health_score.domain.account import AccountState, fold
from health_score.domain.assessment import Assessment
from health_score.domain.compiled import CardId, CompiledCard
from health_score.domain.evaluation import Cause, Crossing, Evaluation, evaluate
from health_score.domain.fact import Fact
from health_score.domain.look import assess
from health_score.domain.model import Applies, Model, folding_also
from health_score.domain.scorecard import Dimension, Knockout, Threshold
from health_score.domain.signals import Latest, Mean, Ratio, Recency, Selector

SAID = measure("said", Latest(Selector(("survey",), value="score"), 20))
PAID = measure("paid", Mean(Selector(("invoice",), value="score"), 9))
QUIET = measure("quiet", Recency(Selector(("survey", "invoice"))), weight=0, curve=None)
PER = measure("per", Ratio(PAID.signal, SAID.signal), weight=0, curve=None)  # type: ignore[arg-type]
WORDS, MONEY = Dimension("words", 1, (SAID, QUIET)), Dimension("money", 3, (PAID, PER))

LOW = Threshold("low", "score", enter=50, exit=55, direction="below")
LOWER = replace(LOW, enter=30, exit=30)
SLOW = Threshold("slow", "measure:said", enter=20, exit=30, direction="below", dwell_s=3 * DAY)
SILENT = Threshold("silent", "measure:quiet", enter=5, exit=5, direction="above", cooldown_s=9 * DAY)
UNSURE = Threshold("unsure", "coverage", enter=0.5, exit=0.5, direction="below")
PRICEY = Threshold("pricey", "measure:per", enter=2, exit=1, direction="above", min_coverage=0.3)
BROKE = Knockout("broke", "measure:paid", 10, "below", "critical")


def is_big(attributes: Any) -> bool:
    return bool(attributes.get("segment") == "big")


CARDS: dict[CardId, CompiledCard] = {
    each.id: each
    for each in (
        card(WORDS, MONEY, thresholds=[LOW, SLOW, SILENT], knockouts=[BROKE], name="main", version=1),
        card(WORDS, thresholds=[LOWER, UNSURE, SLOW], name="main", version=2),
        card(MONEY, name="main", version=3),
        card(WORDS, MONEY, thresholds=[LOW, PRICEY, SILENT], name="main", version=4),
        card(MONEY, thresholds=[LOW, PRICEY], knockouts=[BROKE], name="side", version=1, priority=1),
    )
}
EVERYTHING = {key: signal for each in CARDS.values() for key, signal in each.signals.items()}


def modelled(
    number: int, main: int, side: bool, silences: dict[str, float], change: Any, outreach: bool
) -> Model:
    """The model with this version of the main card, with or without the side card for the big ones."""
    chosen: list[CompiledCard | tuple[CompiledCard, Applies]] = [CARDS["main", main]]
    if side:
        chosen.append((CARDS["side", 1], is_big))
    found = model_of(
        *chosen, number=number, before=CARDS.values(), silences=silences, change=change, outreach=outreach
    )
    return folding_also(found, EVERYTHING)


@dataclass
class Told:
    """One account, and all that was told of it."""

    model: Model
    state: AccountState = field(default_factory=lambda: AccountState("acme"))
    now: float = NOW
    told: list[Evaluation] = field(default_factory=list)
    crossings: list[tuple[Crossing, Cause]] = field(default_factory=list)

    def look(self, cause: Cause, facts: Iterable[Fact] = ()) -> list[Evaluation]:
        """Fold, look, and hold what was told against what was told before."""
        before, judged, revision = self.state.last, self.state.card, self.state.revision
        for each in facts:
            fold(self.model, self.state, each)
        found = evaluate(self.model, self.state, self.now, cause)
        right = self.model.card_for(self.state.attributes)
        assert (self.state.card, self.state.model) == (right.id, self.model.number)
        assert [each.card.id for each in found] == (
            [judged, right.id] if judged not in (None, right.id) and cause.kind == "facts" else [right.id]
        )
        for one in found:
            self._check(one, cause, before, revision)
            before, revision = (one.assessment if one.changed else before), one.revision
        assert self.state.last is not None
        now = assess(right, self.state, self.now, self.model.silences)
        assert not now.differs(self.state.last)
        assert self.told[-1].assessment is self.state.last
        assert self.state.revision == len(self.told)
        return found

    def _check(self, found: Evaluation, cause: Cause, before: Assessment | None, revision: int) -> None:
        """One evaluation tells what is, from where it was, and why."""
        assert found.before is before
        assert found.revision == revision + found.changed
        assert found.assessment == assess(found.card, self.state, self.now, self.model.silences)
        if self.told and found.card is not self.told[-1].card:
            assert found.cause == Cause("model", outreach=self.model.outreach)
        else:
            assert found.cause == cause
        if found.changed and before is not None and None not in (before.computed, found.assessment.computed):
            moved = sum((each.after or 0) - (each.before or 0) for each in found.moved)
            assert moved == pytest.approx((found.assessment.computed or 0) - (before.computed or 0), abs=1e-4)
        if found.changed:
            self.told.append(found)
        else:
            assert not found.crossings
        self.crossings += [(each, found.cause) for each in found.crossings]

    def assert_thresholds_alternate(self) -> None:
        """Numbered without gaps, entered and left in turn; those of other cards are left."""
        by_name: dict[str, list[tuple[int, str]]] = {}
        for each, _ in self.crossings:
            by_name.setdefault(each.threshold, []).append((each.sequence, each.direction))
        for name, told in by_name.items():
            assert told == [(at + 1, "left" if at % 2 else "entered") for at in range(len(told))], name
            assert self.state.thresholds[name].inside is bool(len(told) % 2)
        watched = {each.threshold.name for each in self.model.card_for(self.state.attributes).watches}
        for name, stands in self.state.thresholds.items():
            assert name in watched or (not stands.inside and stands.since is None)


facts = st.lists(
    st.one_of(
        *[
            st.tuples(
                st.sampled_from(["survey", "invoice"]), st.fixed_dictionaries({"score": st.integers(0, 100)})
            )
        ]
        * 3,
        st.tuples(
            st.just("csm.account.changed"),
            st.fixed_dictionaries({"segment": st.sampled_from(["big", "small"])}),
        ),
        st.tuples(
            st.just("csm.override.set"),
            st.fixed_dictionaries(
                {
                    "score": st.none() | st.integers(0, 100),
                    "band": st.sampled_from(["critical", "healthy", "unknown"]),
                    "reason": st.just("why"),
                    "until": st.sampled_from(["2026-03-05", "2026-03-20"]),
                }
            ),
        ),
        st.tuples(st.just("csm.override.cleared"), st.just({})),
    ),
    max_size=3,
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("facts"), facts),
        st.tuples(st.just("facts"), facts),
        st.tuples(st.just("due")),
        st.tuples(st.just("wait"), st.sampled_from([1.0, 0.6 * DAY, 2 * DAY, 6 * DAY])),
        st.tuples(
            st.just("model"),
            st.integers(1, 4),
            st.booleans(),
            st.dictionaries(st.sampled_from(["survey", "invoice"]), st.just(0.0), max_size=2),
            st.booleans(),
            st.booleans(),
        ),
    ),
    max_size=20,
)


@thorough
@given(steps)
def test_what_is_told_of_an_account_holds_together_under_any_changes(steps: list[tuple[Any, ...]]) -> None:
    account = Told(modelled(1, 1, False, {}, "model", False))
    due = None
    for kind, *rest in steps:
        if kind == "facts":
            told = [fact(type_, account.now, **data) for type_, data in rest[0]]
            due = account.look(Cause("facts", tuple(each.id for each in told)), told)[-1].due
        elif kind == "due":
            if due is not None:
                account.now = due
                due = account.look(Cause("timer"))[-1].due
        elif kind == "wait":
            account.now += rest[0] if due is None else min(rest[0], due - account.now)
        else:
            main, side, silences, outreach, looked = rest
            silent = dict.fromkeys(silences, account.now - 2 * DAY)
            change = "source" if main == 1 and silent else "model"
            account.model = modelled(account.model.number + 1, main, side, silent, change, outreach)
            if looked and account.state.card is not None:
                due = account.look(Cause(account.model.change, outreach=outreach))[-1].due
        if account.told and account.state.model == account.model.number:
            account.assert_thresholds_alternate()


def test_what_facts_and_another_card_bring_in_one_look_is_told_apart() -> None:
    account = Told(modelled(1, 1, True, {}, "model", False))
    account.look(Cause("facts"), [fact("survey", score=80), fact("invoice", score=80)])
    moves = [
        fact("csm.account.changed", segment="big"),
        fact("invoice", NOW + 1, score=0),
        fact("invoice", NOW + 2, score=0),
    ]
    by_facts, by_model = account.look(Cause("facts", ("a",)), moves)
    assert [each.threshold for each in by_facts.crossings] == ["low"]
    assert (by_facts.card.id, by_facts.cause.kind) == (("main", 1), "facts")
    assert (by_model.card.id, by_model.cause) == (("side", 1), Cause("model", outreach=False))
    assert by_model.before is by_facts.assessment


def test_a_threshold_that_goes_away_is_left_and_counts_on_when_it_comes_back() -> None:
    account = Told(modelled(1, 1, False, {}, "model", False))
    account.look(Cause("facts"), [fact("survey", score=90), fact("invoice", score=10)])
    account.model = modelled(2, 3, False, {}, "model", True)
    account.look(Cause("model", outreach=True))
    account.model = modelled(3, 4, False, {}, "model", False)
    account.look(Cause("model", outreach=False))
    told = [
        (each.sequence, each.direction, cause.outreach)
        for each, cause in account.crossings
        if each.threshold == "low"
    ]
    assert told == [(1, "entered", True), (2, "left", True), (3, "entered", False)]


def test_a_threshold_that_goes_away_while_it_waits_waits_anew_when_it_comes_back() -> None:
    account = Told(modelled(1, 1, False, {}, "model", False))
    [first] = account.look(Cause("facts"), [fact("survey", score=10), fact("invoice", score=90)])
    assert (first.crossings, first.due) == ((), NOW + 3 * DAY)
    for number, main in ((2, 3), (3, 1)):
        account.now += 2 * DAY
        account.model = modelled(number, main, False, {}, "model", False)
        [found] = account.look(Cause("model", outreach=False))
        assert found.crossings == ()
    assert account.state.thresholds["slow"].since == account.now


def test_a_silent_source_stands_still_and_goes_on_where_it_would_be_when_it_is_back() -> None:
    account = Told(modelled(1, 1, False, {}, "model", False))
    account.look(Cause("facts"), [fact("survey", score=80), fact("invoice", score=80)])
    account.now += 4 * DAY
    account.model = modelled(2, 1, False, {"survey": NOW + DAY, "invoice": NOW + 2 * DAY}, "source", False)
    [silent] = account.look(Cause("source", outreach=False))
    assert silent.assessment.frozen == ("said", "quiet", "paid", "per")
    assert silent.assessment.values["quiet"] == 2.0
    assert silent.due is None
    account.now += 4 * DAY
    account.model = modelled(3, 1, False, {}, "source", False)
    [back] = account.look(Cause("source", outreach=False))
    assert [(each.threshold, each.direction) for each in back.crossings] == [("silent", "entered")]
    assert back.assessment.values["quiet"] == 8.0
