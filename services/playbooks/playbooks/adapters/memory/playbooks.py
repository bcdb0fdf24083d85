"""Playbook versions in memory."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from playbooks.adapters.definitions import content_hash, encode_definition, playbook_of
from playbooks.adapters.memory.state import State, Version
from playbooks.application.model import Playbook, PlaybookKey
from playbooks.domain.definition import Definition


class MemoryPlaybooks:
    """Implements ports.Playbooks."""

    def __init__(self, state: State) -> None:
        self._versions = state.versions

    async def ship(self, definitions: Sequence[Definition], now: datetime) -> Sequence[PlaybookKey]:
        """Put the files in force, except those of names that somebody has changed over REST; what is active of them."""
        theirs = {version.playbook.name for version in self._versions.values() if version.origin != "file"}
        for key, known in list(self._versions.items()):
            if known.active and key[0] not in theirs:
                self._versions.put(key, replace(known, active=False))
        return [(each.name, self._ship(each, now)) for each in definitions if each.name not in theirs]

    def _ship(self, definition: Definition, now: datetime) -> int:
        digest = content_hash(encode_definition(definition))
        mine = [each for each in self._versions.values() if each.playbook.name == definition.name]
        version = next((each for each in mine if each.hash == digest), None) or Version(
            playbook=playbook_of(len(mine) + 1, definition),
            hash=digest,
            active=True,
            origin="file",
            created_at=now,
        )
        number = version.playbook.version
        self._versions.put((definition.name, number), replace(version, active=True))
        return number

    async def active(self) -> Sequence[Playbook]:
        """The version of each playbook that starts runs, by name."""
        return [
            each.playbook
            for _, each in sorted(self._versions.items(), key=lambda item: item[0])
            if each.active
        ]

    async def load(self, keys: Collection[PlaybookKey]) -> Mapping[PlaybookKey, Playbook]:
        """These versions, active or not."""
        return {key: self._versions[key].playbook for key in keys}

    def at_hand(self) -> Collection[Playbook]:
        """All of them."""
        return [each.playbook for each in self._versions.values()]
