"""Explains an account as it is, or as it stood at an earlier time, and what changed since a time before that."""

from dataclasses import dataclass
from datetime import datetime

from csm_common.clock import Clock
from csm_common.errors import InvalidError, NotFoundError, TransientError
from health_score.application.explaining_ports import Cards, Change, HistoryReads, Since, StateReads, Told
from health_score.application.read_ports import unknown_account
from health_score.application.words import spoken, told
from health_score.application.words_since import since_sentences
from health_score.domain.assessment import Assessment, rounded
from health_score.domain.comparison import moved
from health_score.domain.compiled import CompiledCard
from health_score.domain.evaluation import CauseKind
from health_score.domain.explaining import explain, explain_told
from health_score.domain.explanation import Explanation
from health_score.domain.look import assess


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthExplanation:
    """`text` is the explanation in words, a paragraph an entry. `told` is the change that is explained, where an earlier time
    was asked for; what comes of time alone between changes is not in it."""

    text: list[str]
    explanation: Explanation
    told: Change | None
    since: Since | None


@dataclass(frozen=True, slots=True)
class _Point:
    """An account at one time."""

    explanation: Explanation
    assessment: Assessment
    at: datetime
    told: Change | None


class Explainer:
    """The use case behind `GET /v1/accounts/{id}/health/explain`."""

    def __init__(self, states: StateReads, histories: HistoryReads, cards: Cards, clock: Clock) -> None:
        self._states = states
        self._histories = histories
        self._cards = cards
        self._clock = clock

    async def explain(
        self, account_id: str, *, since: datetime | None = None, at: datetime | None = None
    ) -> HealthExplanation:
        """NotFoundError for an account, or a time of it, that nothing is known of; InvalidError for times in the wrong order."""
        now = self._clock.now()
        if at is not None and at > now:
            raise InvalidError(f"at is {at.isoformat()}, which is still to come; leave it out for now.")
        if since is not None and since >= (at or now):
            raise InvalidError("since must be before the time that is explained.")
        point = await (self._now(account_id, now) if at is None else self._then(account_id, at))
        compared = None if since is None else await self._since(account_id, since, point)
        explanation = spoken(point.explanation)
        text = told(explanation)
        if compared is not None:
            text += since_sentences(point.explanation, compared)
        return HealthExplanation(text=text, explanation=explanation, told=point.told, since=compared)

    async def _now(self, account_id: str, now: datetime) -> _Point:
        found = await self._states.state(account_id)
        if found is None:
            raise unknown_account(account_id)
        silences = self._cards.latest.silences
        card = self._cards.card_of(found)
        seconds = now.timestamp()
        explanation = explain(card, found, seconds, silences)
        return _Point(explanation, assess(card, found, seconds, silences), now, None)

    async def _then(self, account_id: str, at: datetime) -> _Point:
        found = await self._histories.at(account_id, at)
        if found is None:
            raise await self._too_early(account_id, at)
        explanation = explain_told(self._card(found), account_id, found.assessment, at.timestamp())
        return _Point(explanation, found.assessment, at, found.change)

    async def _too_early(self, account_id: str, at: datetime) -> NotFoundError:
        first = await self._histories.first(account_id)
        if first is None:
            return unknown_account(account_id)
        return NotFoundError(
            f"Nothing was known of the account {account_id!r} at {at.isoformat()}; that began {first.isoformat()}."
        )

    def _card(self, found: Told) -> CompiledCard:
        card = self._cards.card((found.change.scorecard, found.change.version))
        if card is None:  # activated a moment ago, and not read here yet
            raise TransientError("The scorecard is being read; ask again in a moment.")
        return card

    async def _since(self, account_id: str, since: datetime, point: _Point) -> Since:
        before = await self._histories.at(account_id, since)
        first = await self._histories.first(account_id) if before is None else None
        now, change = point.explanation, None if before is None else before.change
        was = None if change is None else change.score
        return Since(
            asked=since,
            before=change,
            first_known_at=first,
            score_moved=None if was is None or now.score is None else rounded(now.score - was),
            same_card=change is None or (change.scorecard, change.version) == (now.scorecard, now.version),
            by_cause={} if change is None else await self._by_cause(change, point),
            measures=moved(None if before is None else before.assessment, point.assessment),
            model_changes=await self._histories.model_changes(since, point.at),
        )

    async def _by_cause(self, before: Change, point: _Point) -> dict[CauseKind, float]:
        """The rest, which no change told yet, is the doing of time."""
        causes = dict(await self._histories.by_cause(before.account_id, before.revision, point.at))
        score = point.explanation.score
        if score is not None and before.score is not None:
            untold = score - before.score - sum(causes.values())
            causes["timer"] = causes.get("timer", 0.0) + untold
        return {cause: rounded(points) for cause, points in causes.items() if abs(points) >= 1e-6}
