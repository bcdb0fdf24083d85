"""Managing playbooks over the store in memory, for the fast tier."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from tests.support.clock import START

from playbooks.adapters.definitions import content_hash, encode_definition, playbook_of
from playbooks.adapters.memory.outbox import MemoryAudit
from playbooks.adapters.memory.state import State, Version
from playbooks.adapters.memory.store import MemoryDatabase
from playbooks.adapters.memory.switches import MemorySwitches
from playbooks.application.managing_ports import InFlight, InForce, StoredVersion
from playbooks.application.model import PlaybookKey
from playbooks.domain.definition import Definition


class MemoryVersions:
    """Implements managing_ports.Versions; `written` has author and note of each version, which the engine has no use for."""

    def __init__(self, state: State, written: dict[PlaybookKey, tuple[str, str]]) -> None:
        self._state = state
        self._written = written

    async def lock(self) -> None:
        """There is one transaction at a time anyway."""

    async def shown(self) -> list[StoredVersion]:
        """Of each playbook the newest version and the active one, by name and version."""
        newest = dict(sorted(self._state.versions))
        return [
            self._stored(key, each)
            for key, each in sorted(self._state.versions.items(), key=lambda item: item[0])
            if each.active or newest[key[0]] == key[1]
        ]

    async def of(self, name: str) -> list[StoredVersion]:
        """The versions of a playbook, oldest first."""
        mine = [(key, each) for key, each in self._state.versions.items() if key[0] == name]
        return [self._stored(key, each) for key, each in sorted(mine, key=lambda item: item[0])]

    def _stored(self, key: PlaybookKey, stored: Version) -> StoredVersion:
        author, note = self._written.get(key, ("shipped", ""))
        return StoredVersion(
            version=key[1], definition=stored.playbook.definition, origin=stored.origin, author=author, note=note,
            created_at=stored.created_at or START, active=stored.active,
        )  # fmt: skip

    async def add(self, definition: Definition, author: str, note: str, now: datetime) -> tuple[int, bool]:
        """Its version, and whether that is new."""
        digest = content_hash(encode_definition(definition))
        mine = {key[1]: each for key, each in self._state.versions.items() if key[0] == definition.name}
        for version, each in mine.items():
            if each.hash == digest:
                return version, False
        version = 1 + max(mine, default=0)
        playbook = playbook_of(version, definition)
        stored = Version(playbook=playbook, active=False, origin="rest", hash=digest, created_at=now)
        self._state.versions.put((definition.name, version), stored)
        self._written[definition.name, version] = (author, note)
        return version, True

    async def activate(self, name: str, version: int) -> None:
        """Put it in force in place of the one that was; its name belongs to people from now on."""
        for key, each in list(self._state.versions.items()):
            if key[0] == name and each.active:
                self._state.versions.put(key, replace(each, active=False))
        stored = self._state.versions[name, version]
        self._state.versions.put((name, version), replace(stored, active=True, origin="rest"))

    async def in_force(self, name: str) -> list[InForce]:
        """What was put in force, oldest first."""
        told = [each for _, each in sorted(self._state.audit.items(), key=lambda item: item[0])]
        return [
            InForce(
                version=each.detail["version"],
                before=each.detail.get("before"),
                at=each.at,
                actor=each.actor,
                note=each.detail.get("note", ""),
            )
            for each in told
            if (each.subject, each.action) == (f"playbook:{name}", "activated")
        ]

    async def in_flight(self, name: str | None = None) -> list[InFlight]:
        """Active runs of a playbook, or of all, by version and step."""
        found: dict[tuple[str, int, str], int] = {}
        for run in self._state.runs.values():
            if run.status == "active" and name in (None, run.playbook):
                place = run.playbook, run.version, run.step or ""
                found[place] = found.get(place, 0) + 1
        return [
            InFlight(playbook=playbook, version=version, step=step, runs=runs)
            for (playbook, version, step), runs in sorted(found.items())
        ]

    async def never_told(self, thresholds: Collection[str]) -> list[str]:
        """Those of these thresholds that no crossing was ever of."""
        told = {each.crossing.threshold for each in self._state.crossings.values()}
        return sorted({*thresholds} - told)


@dataclass(frozen=True, slots=True)
class MemoryManagement:
    """Implements managing_ports.Management."""

    versions: MemoryVersions
    switches: MemorySwitches
    audit: MemoryAudit


class MemoryManagements:
    """Implements managing_ports.Managements over a database in memory."""

    def __init__(self, database: MemoryDatabase) -> None:
        self._database = database
        self._written: dict[PlaybookKey, tuple[str, str]] = {}

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[MemoryManagement]:
        """One transaction."""
        async with self._database.begin() as store:
            versions = MemoryVersions(self._database.state, self._written)
            yield MemoryManagement(versions, store.switches, store.audit)
