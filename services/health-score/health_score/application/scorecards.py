"""What people do with scorecards: write versions, compare them, put them in force and take them out again.

Versions are immutable. Putting one in force is one row; the writers see it within a second and judge every account by it, while
facts go on flowing.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import yaml

from csm_common.clock import Clock
from csm_common.errors import ConflictError, NotFoundError
from health_score.application.model_ports import ModelChange, StoredCard
from health_score.application.models import ReadCard, active
from health_score.application.scorecard_diff import Difference, difference
from health_score.application.scorecard_file import ScorecardError, load_scorecard, plain_data
from health_score.application.scorecard_history import before, spans
from health_score.application.scorecard_places import Mistake
from health_score.application.scorecard_ports import ScorecardStore
from health_score.application.scorecard_views import (
    CardSummary,
    Changed,
    Created,
    Order,
    Progress,
    VersionInfo,
)
from health_score.domain.compiled import CardId
from health_score.domain.model import Applies, Choice, Model, build_model

_AT_ONCE = 200  # accounts whose conditions are asked before others get a turn: a few milliseconds


class Scorecards:
    """The use cases; `compile_condition` knows the language of `applies_to`, `read_card` makes a version ready to judge."""

    def __init__(
        self,
        store: ScorecardStore,
        read_card: ReadCard,
        compile_condition: Callable[[str], Applies],
        clock: Clock,
    ) -> None:
        self._store = store
        self._read_card = read_card
        self._read: dict[CardId, Choice] = {}
        self._compile = compile_condition
        self._clock = clock

    # ---- reading

    async def overview(self) -> list[CardSummary]:
        """All scorecards: those in force in the order in which they are asked, then the others by name."""
        async with self._store.reading() as tx:
            cards, changes = await tx.cards(), await tx.changes()
        in_force = dict(active(changes))
        newest = {each.name: each for each in cards}
        shown = newest | {each.name: each for each in cards if in_force.get(each.name) == each.version}
        found = [self._summary(each, newest[each.name], in_force, changes) for each in shown.values()]
        return sorted(found, key=lambda each: (each.active_version is None, -each.priority, each.name))

    def _summary(
        self,
        shown: StoredCard,
        newest: StoredCard,
        in_force: dict[str, int],
        changes: Sequence[ModelChange],
    ) -> CardSummary:
        card, version = self._choice(shown).card.card, in_force.get(shown.name)
        since = None if version is None else spans(changes, shown.name)[-1].since
        return CardSummary(
            shown.name, card.title, newest.version, version, since, card.applies_to, card.priority
        )

    async def versions(self, name: str) -> list[VersionInfo]:
        """The versions of a scorecard, oldest first; NotFoundError if there are none."""
        async with self._store.reading() as tx:
            cards, changes = await tx.cards(name), await tx.changes()
        if not cards:
            raise _unknown(name)
        known, in_force = spans(changes, name), dict(active(changes)).get(name)
        return [
            VersionInfo(
                each.version,
                each.author,
                each.note,
                each.created_at,
                each.version == in_force,
                [span for span in known if span.version == each.version],
            )
            for each in cards
        ]

    async def version(self, name: str, version: int) -> StoredCard:
        """One version; NotFoundError if there is none."""
        async with self._store.reading() as tx:
            return _one(name, version, await tx.cards(name))

    async def difference(self, name: str, before: int, after: int) -> Difference:
        """What differs between two versions."""
        async with self._store.reading() as tx:
            cards = await tx.cards(name)
        old, new = (plain_data(_one(name, each, cards).document) for each in (before, after))
        return difference(old, new)

    async def progress(self) -> Progress:
        """How far the newest change of the model has got."""
        async with self._store.reading() as tx:
            last = (await tx.changes())[-1]
            found = await tx.taking_up(last.number)
        done = found.behind == 0 and found.accounts_behind == 0
        return Progress(last.number, last.kind, last.name, last.version, last.at, found, done)

    # ---- writing

    def mistakes(self, text: str, *, json: bool = False) -> Sequence[Mistake]:
        """All that is wrong with a document, in its order; nothing where it can be used. The largest take seconds."""
        try:
            load_scorecard(text, compile_condition=self._compile, json=json)
        except ScorecardError as refused:
            return refused.mistakes
        return ()

    async def create(self, text: str, order: Order, *, json: bool = False) -> Created:
        """Keep a document as the next version. ScorecardError for mistakes, ConflictError where its number is not the next."""
        name, told = await asyncio.to_thread(self._read_document, text, json)
        document = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=120) if json else text
        async with self._store.changing() as tx:
            known = {each.version: each for each in await tx.cards(name)}
            newest = max(known, default=0)
            version: int = told.get("version") or _same(known.get(newest), document, newest)
            if version in known and known[version].document == document:
                return Created(name, version, False)
            _require_next(name, version, newest)
            now = self._clock.now()
            await tx.add(
                StoredCard(
                    name=name,
                    version=version,
                    document=document,
                    author=order.actor,
                    note=order.note,
                    created_at=now,
                )
            )
        return Created(name, version, True)

    def _read_document(self, text: str, json: bool) -> tuple[str, dict[str, Any]]:
        """The name and the plain data of a document that can be used."""
        card = load_scorecard(text, compile_condition=self._compile, json=json)
        return card.name, plain_data(text, json=json)

    async def activate(self, name: str, version: int, order: Order) -> Changed:
        """Put a version in force, in place of the one that was."""
        return await self._change(name, "activate", lambda changes: version, order)

    async def roll_back(self, name: str, order: Order) -> Changed:
        """Put the version in force again that was before."""
        return await self._change(name, "activate", lambda changes: _before(changes, name), order)

    async def retire(self, name: str, order: Order) -> Changed:
        """Take a scorecard out of force: others judge its accounts. One that applies to every account has to stay."""
        return await self._change(name, "retire", lambda changes: None, order)

    async def _change(
        self,
        name: str,
        kind: Literal["activate", "retire"],
        wanted: Callable[[Sequence[ModelChange]], int | None],
        order: Order,
    ) -> Changed:
        async with self._store.changing() as tx:
            cards, changes = await tx.cards(), await tx.changes()
            if name not in {each.name for each in cards}:
                raise _unknown(name)
            version = wanted(changes)
            if version is not None:
                _one(name, version, [each for each in cards if each.name == name])
            in_force = dict(active(changes))
            if in_force.get(name) == version:
                return Changed(_last(changes, name), name, version, False, 0)
            change = ModelChange(
                number=0, kind=kind, name=name, version=version, actor=order.actor, note=order.note,
                outreach=order.outreach, at=self._clock.now(),
            )  # fmt: skip
            models = self._models(cards, active(changes), active([*changes, change]))
            number = await tx.change(change)
        return Changed(number, name, version, True, await self._moved(*models))

    def _models(
        self, cards: Sequence[StoredCard], old: Sequence[CardId], new: Sequence[CardId]
    ) -> tuple[Model, Model]:
        """The models before and after; ConflictError where the cards would leave an account without one."""
        wanted = {*old, *new}
        read = {
            (each.name, each.version): self._choice(each)
            for each in cards
            if (each.name, each.version) in wanted
        }
        try:
            after = build_model(1, [read[each] for each in new])
        except ValueError as refused:
            raise ConflictError(f"This cannot be done: {refused}.", code="no_card_for_all") from refused
        return build_model(0, [read[each] for each in old]), after

    def _choice(self, stored: StoredCard) -> Choice:
        """A version ready to judge; read once, since it never changes."""
        version = stored.name, stored.version
        if version not in self._read:
            self._read[version] = self._read_card(stored)
        return self._read[version]

    async def _moved(self, old: Model, new: Model) -> int:
        """How many accounts another version or card judges now."""
        moved, after = 0, ""
        while True:
            async with self._store.reading() as tx:
                page = await tx.attributes(after, _AT_ONCE)
            for _, attributes in page:
                answers: dict[str, bool] = {}
                moved += _judge(old, attributes, answers) != _judge(new, attributes, answers)
            if len(page) < _AT_ONCE:
                return moved
            after = page[-1][0]
            await asyncio.sleep(0)


def _judge(model: Model, attributes: Mapping[str, Any], answers: dict[str, bool]) -> CardId:
    """The version that judges an account; `answers` are those of conditions that were asked before, by their text."""
    for choice in model.choices:
        text = choice.card.card.applies_to
        if text is None or choice.applies is None:
            return choice.card.id
        if text not in answers:
            answers[text] = choice.applies(attributes)
        if answers[text]:
            return choice.card.id
    return model.card_for(attributes).id


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"There is no scorecard {name!r}; GET /v1/scorecards lists them.")


def _one(name: str, version: int, cards: Sequence[StoredCard]) -> StoredCard:
    found = next((each for each in cards if each.version == version), None)
    if found is None:
        if not cards:
            raise _unknown(name)
        there = ", ".join(str(each.version) for each in cards)
        raise NotFoundError(f"There is no version {version} of the scorecard {name}; there are {there}.")
    return found


def _same(newest: StoredCard | None, document: str, version: int) -> int:
    """The version of a document that tells none: the newest if that is the very same, else the next."""
    return version if newest is not None and newest.document == document else version + 1


def _require_next(name: str, version: int, newest: int) -> None:
    if version <= newest:
        raise ConflictError(
            f"Version {version} of the scorecard {name} is there already, and versions never change:"
            f" make it version {newest + 1}, or leave the version out.",
            code="version_exists",
        )
    if version > newest + 1:
        raise ConflictError(
            f"The next version of the scorecard {name} is {newest + 1}, not {version}.",
            code="version_skipped",
        )


def _before(changes: Sequence[ModelChange], name: str) -> int:
    found = before(changes, name)
    if found is None:
        raise ConflictError(
            f"No version of the scorecard {name} was in force before the present one: activate one by its number.",
            code="nothing_before",
        )
    return found


def _last(changes: Sequence[ModelChange], name: str) -> int:
    found = [each.number for each in changes if each.name == name and each.kind in ("activate", "retire")]
    return found[-1] if found else changes[-1].number
