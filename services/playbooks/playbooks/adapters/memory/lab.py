"""Simulators over the store in memory, with the service's own rules."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from playbooks.adapters.definitions import parse_definition, playbook_of
from playbooks.adapters.memory.sandbox import MemorySandbox, RecordingEndpoints
from playbooks.application.handlers.steps import Rules
from playbooks.application.model import Playbook
from playbooks.application.simulation import PretendedClock, Simulator
from playbooks.application.simulation_people import People
from playbooks.domain.definition import Definition


class MemoryLab:
    """Implements simulation_desk.Lab."""

    def __init__(self, rules: Rules) -> None:
        """`rules` are those of the service; in a sandbox all that is known is new."""
        self._rules = replace(rules, max_staleness=None)

    def simulator(self, start: datetime, people: People, answers: Mapping[str, int]) -> Simulator:
        """One with a sandbox of its own; `answers` are those of endpoints."""
        return Simulator(
            sandbox=MemorySandbox(),
            rules=self._rules,
            clock=PretendedClock(start),
            endpoints=RecordingEndpoints(answers),
            people=people,
        )

    def read(self, text: str, *, is_json: bool) -> Definition:
        """MistakenError with all mistakes of a text that cannot be used."""
        return parse_definition(text, "definition", is_json=is_json)

    def ready(self, version: int, definition: Definition) -> Playbook:
        """The version with its conditions compiled."""
        return playbook_of(version, definition)
