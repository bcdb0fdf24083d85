"""Explanations against earlier times and histories, over what was told in memory."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.clock import ManualClock
from tests.unit.health_score.domain.examples import DAY, NOW, account, fact, look_at
from tests.unit.health_score.explaining.test_explaining import CARD, MODEL
from tests.unit.health_score.telling.histories import MemoryHistories

from csm_common.errors import InvalidError, NotFoundError, TransientError
from health_score.application.explaining import Explainer
from health_score.application.explaining_ports import Change, Told
from health_score.application.told import Histories
from health_score.domain.account import AccountState
from health_score.domain.compiled import CardId, CompiledCard
from health_score.domain.evaluation import Evaluation
from health_score.domain.silences import NOTHING_SILENT

THEN = datetime.fromtimestamp(NOW, UTC)


def told_of(found: Evaluation) -> Told:
    """The change as it is stored."""
    at = datetime.fromtimestamp(found.at, UTC)
    before, after, card = found.before, found.assessment, found.card.card
    change = Change(
        account_id="acme",
        revision=found.revision,
        known_at=at,
        event_at=at,
        cause=found.cause.kind,
        fact_ids=list(found.cause.fact_ids),
        scorecard=card.name,
        version=card.version,
        score_before=None if before is None else before.score,
        score=after.score,
        computed=after.computed,
        band_before=found.band_before,
        band=after.band,
        coverage=after.coverage,
    )
    return Told(change, after)


class OneModel:
    """The models as far as explanations ask; `cards` are those that are known here."""

    silences = NOTHING_SILENT

    def __init__(self, cards: Sequence[CompiledCard] = (CARD,)) -> None:
        self._cards = {card.id: card for card in cards}

    @property
    def latest(self) -> "OneModel":
        return self

    def card(self, id: CardId) -> CompiledCard | None:
        return self._cards.get(id)

    def card_of(self, state: AccountState) -> CompiledCard:
        return CARD


class Kept:
    """The account acme, used once and looked at on five days."""

    def __init__(self, models: OneModel | None = None) -> None:
        self.kept = account(MODEL, [fact("used", NOW), fact("answered", NOW, score=9)])
        days = [look_at(MODEL, self.kept, NOW + day * DAY, "timer" if day else "facts") for day in range(5)]
        self.reads = MemoryHistories([told_of(each) for each in days])
        self.clock = ManualClock(THEN + timedelta(days=6))
        self.explainer = Explainer(self, self.reads, models or OneModel(), self.clock)
        self.histories = Histories(self.reads, self.clock)

    async def state(self, account_id: str) -> AccountState | None:
        return self.kept if account_id == "acme" else None


async def test_the_difference_since_is_split_by_cause_and_time_has_the_rest() -> None:
    found = await Kept().explainer.explain("acme", since=THEN + timedelta(days=1, hours=1))
    assert found.since is not None
    assert found.since.before is not None
    assert found.since.before.revision == 2
    assert found.since.score_moved == pytest.approx(-5 * 5 * 0.75, abs=1e-4)
    assert found.since.by_cause == {"timer": pytest.approx(found.since.score_moved, abs=1e-5)}
    assert [each.name for each in found.since.measures] == ["silence"]
    assert found.text[-1].startswith("By cause: time alone")
    assert all(each.says for each in found.explanation.measures)


async def test_an_earlier_time_is_explained_from_what_was_told() -> None:
    kept = Kept()
    found = await kept.explainer.explain("acme", at=THEN + timedelta(days=2, hours=1), since=THEN)
    assert found.told == kept.reads.told[2].change
    assert found.explanation.score == kept.reads.told[2].change.score
    assert found.since is not None
    assert found.since.same_card
    assert found.explanation.thresholds == ()


async def test_what_nobody_knows_of_is_not_found_and_says_since_when_something_is_known() -> None:
    kept = Kept()
    with pytest.raises(NotFoundError, match="No fact"):
        await kept.explainer.explain("nobody")
    with pytest.raises(NotFoundError, match="that began 2026-03-02"):
        await kept.explainer.explain("acme", at=THEN - timedelta(days=1))
    kept.reads.told.clear()
    with pytest.raises(NotFoundError, match="No fact"):
        await kept.explainer.explain("acme", at=THEN)


async def test_times_in_the_wrong_order_are_refused() -> None:
    kept = Kept()
    with pytest.raises(InvalidError, match="still to come"):
        await kept.explainer.explain("acme", at=THEN + timedelta(days=9))
    with pytest.raises(InvalidError, match="before the time"):
        await kept.explainer.explain("acme", since=THEN, at=THEN)


async def test_a_scorecard_that_is_not_read_yet_is_worth_another_try() -> None:
    with pytest.raises(TransientError, match="in a moment"):
        await Kept(OneModel([])).explainer.explain("acme", at=THEN + timedelta(days=1))


async def test_changes_tell_what_moved_and_pages_go_on() -> None:
    histories = Kept().histories
    first = await histories.changes("acme", None, None, -1, 2)
    assert first is not None
    assert [each.revision for each in first.changes] == [1, 2]
    assert [[one.name for one in each.moved] for each in first.changes] == [["silence", "nps"], ["silence"]]
    rest = await histories.changes("acme", THEN, None, 2, 9)
    assert rest is not None
    assert [each.moved[0].moved for each in rest.changes] == pytest.approx([-3.75] * 3)


async def test_a_chart_begins_with_what_was_in_force() -> None:
    chart = await Kept().histories.chart("acme", THEN + timedelta(days=3), None, "1d")
    assert chart is not None
    assert [each.changes for each in chart.buckets] == [1, 1, 0, 0]
    assert chart.buckets[0].greatest == pytest.approx(97.5 - 2 * 3.75)


async def test_an_account_without_a_history_has_none() -> None:
    histories = Histories(MemoryHistories(), ManualClock(THEN))
    assert await histories.changes("acme", None, None, -1, 9) is None
    assert await histories.chart("acme", None, None, "1h") is None
    with pytest.raises(InvalidError, match="from must be before"):
        await Kept().histories.changes("acme", THEN, THEN, -1, 9)
