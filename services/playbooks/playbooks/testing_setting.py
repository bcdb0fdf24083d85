"""What a world of authors' tests begins with: an instant, a calendar, and playbooks from files."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from playbooks.adapters.definitions import parse_definition
from playbooks.application.handlers.steps import Rules
from playbooks.assembly import rules_of
from playbooks.domain.definition import Definition
from playbooks.settings import CalendarSettings, PlaybookSettings

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday morning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """When a world begins, where its accounts are unless they say otherwise, and whose public holidays count."""

    at: datetime = START
    zone: str = "UTC"
    holidays: str | None = None

    def rules(self) -> Rules:
        """The engine's own, with this calendar."""
        calendar = CalendarSettings(zone=self.zone, holidays=self.holidays)
        return replace(rules_of(PlaybookSettings(calendar=calendar)), max_staleness=None)


def find_playbook(name: str | Path, beside: Path) -> Definition:
    """The playbook in a file, looked for beside the test and from where we are; or a shipped one by its name."""
    shipped = PlaybookSettings().definitions / f"{name}.yaml"
    for file in (beside / name, Path(name), beside / f"{name}.yaml", shipped):
        if file.is_file():
            return parse_definition(file.read_text(encoding="utf-8"), str(file))
    raise FileNotFoundError(f"There is no playbook {name} beside {beside}, here, or among the shipped ones.")
