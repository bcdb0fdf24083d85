"""From a stored version of a scorecard to one that can judge."""

from collections.abc import Callable
from datetime import datetime
from importlib.resources import files

from health_score.application.model_ports import StoredCard
from health_score.application.models import ReadCard
from health_score.application.scorecard_file import load_scorecard
from health_score.domain.compiled import compile_card
from health_score.domain.model import Applies, Choice

AUTHOR = "shipped"


def card_reader(compile_condition: Callable[[str], Applies]) -> ReadCard:
    """The reader of stored versions; `compile_condition` knows the language of `applies_to`."""

    def read_card(stored: StoredCard) -> Choice:
        card = load_scorecard(stored.document, version=stored.version)
        applies = None if card.applies_to is None else compile_condition(card.applies_to)
        return Choice(compile_card(card), applies)

    return read_card


def shipped_cards(now: datetime) -> list[StoredCard]:
    """The scorecards that come with the service."""
    found = []
    for each in sorted(files("health_score").joinpath("scorecards").iterdir(), key=lambda file: file.name):
        document = each.read_text(encoding="utf-8")
        card = load_scorecard(document)
        note = f"{card.title or card.name}, as shipped"
        found.append(
            StoredCard(
                name=card.name,
                version=card.version,
                document=document,
                author=AUTHOR,
                note=note,
                created_at=now,
            )
        )
    return found
