"""The models as they follow from the changes told so far: scorecards activated and retired, sources silent and back."""

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from health_score.application.model_ports import ModelChange, ModelRepository, StoredCard
from health_score.domain.account import AccountState
from health_score.domain.compiled import CardId, CompiledCard
from health_score.domain.model import Choice, Model, build_model
from health_score.domain.signals import AnySignal

ReadCard = Callable[[StoredCard], Choice]
"""Makes a stored version ready to judge."""


class Models:
    """All models by number. Numbers are given by the database, so every replica builds the same model for the same number."""

    def __init__(self, repository: ModelRepository, read_card: ReadCard) -> None:
        self._repository = repository
        self._read_card = read_card
        self._changes: Sequence[ModelChange] = ()
        self._choices: dict[CardId, Choice] = {}
        self._models: dict[int, Model] = {}
        self._signals: dict[str, AnySignal] = {}

    async def load(self, tx: AsyncConnection) -> bool:
        """Read what has changed; whether anything had."""
        changes = await self._repository.changes(tx)
        if len(changes) == len(self._changes):
            return False
        activated = {(each.name, each.version or 0) for each in changes if each.kind == "activate"}
        for stored in await self._repository.cards(tx, activated - self._choices.keys()):
            choice = self._read_card(stored)
            self._choices[choice.card.id] = choice
            self._signals |= choice.card.signals
        self._changes = changes
        return True

    @property
    def latest(self) -> Model:
        """The newest model."""
        return self.at(self._changes[-1].number)

    @property
    def signals(self) -> Mapping[str, AnySignal]:
        """The signals of every card that ever was in force, by key."""
        return self._signals

    def card(self, id: CardId) -> CompiledCard | None:
        """A version that is or was in force."""
        choice = self._choices.get(id)
        return None if choice is None else choice.card

    def card_of(self, state: AccountState) -> CompiledCard:
        """The card that judged the account last."""
        found = None if state.card is None else self.card(state.card)
        return found or self.latest.card_for(state.attributes)

    def at(self, number: int) -> Model:
        """The model after the change of this number."""
        if number not in self._models:
            self._models[number] = self._built([each for each in self._changes if each.number <= number])
        return self._models[number]

    def _built(self, changes: Sequence[ModelChange]) -> Model:
        last = changes[-1]
        return build_model(
            last.number,
            [self._choices[each] for each in active(changes)],
            before=[self._choices[each].card for each in ever_active(changes)],
            silences=silences(changes),
            change="model" if last.kind in ("activate", "retire") else "source",
            outreach=last.outreach,
        )


def active(changes: Sequence[ModelChange]) -> list[CardId]:
    """The versions in force after these changes."""
    found: dict[str, int] = {}
    for each in changes:
        if each.kind == "activate" and each.version is not None:
            found[each.name] = each.version
        elif each.kind == "retire":
            found.pop(each.name, None)
    return list(found.items())


def ever_active(changes: Sequence[ModelChange]) -> list[CardId]:
    """The versions that were ever in force: an account that rested may have been judged by any of them."""
    return [
        (each.name, each.version) for each in changes if each.kind == "activate" and each.version is not None
    ]


def silences(changes: Sequence[ModelChange]) -> dict[str, float]:
    """The fact types that are silent after these changes, and since when."""
    found: dict[str, float] = {}
    for each in changes:
        if each.kind == "silence" and each.since is not None:
            found[each.name] = each.since.timestamp()
        elif each.kind == "sound":
            found.pop(each.name, None)
    return found
