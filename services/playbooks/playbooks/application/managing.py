"""What people do with playbooks: write versions, compare them, put them in force, pause and archive. All of it is audited.

Versions are immutable, and runs stay on the one they began with: a change concerns those that start from now on.
"""

import asyncio
from collections.abc import Collection
from typing import Any

from csm_common.clock import Clock
from csm_common.errors import ConflictError, InvalidError, NotFoundError
from playbooks.application.actor import Actor
from playbooks.application.managing_diff import Difference, difference
from playbooks.application.managing_ports import (
    Documents,
    InFlight,
    InForce,
    Management,
    Managements,
    StoredVersion,
    Written,
)
from playbooks.application.managing_views import (
    Card,
    Changed,
    Checked,
    Created,
    PlaybookSummary,
    State,
    VersionInfo,
    told_of_runs,
)
from playbooks.application.managing_warnings import thresholds_named, warnings
from playbooks.application.mistakes import Mistake, MistakenError
from playbooks.application.model import Audited, Switch


class Managing:
    """The use cases; `endpoints` are the names of the settings' endpoints."""

    def __init__(
        self, store: Managements, documents: Documents, endpoints: Collection[str], clock: Clock
    ) -> None:
        self._store = store
        self._documents = documents
        self._endpoints = endpoints
        self._clock = clock

    # ---- reading

    async def overview(self) -> list[PlaybookSummary]:
        """All playbooks by name."""
        async with self._store.begin() as store:
            shown, switches = await store.versions.shown(), await store.switches.all()
            in_flight = await store.versions.in_flight()
        newest = {each.definition.name: each for each in shown}
        active = {each.definition.name: each for each in shown if each.active}
        return [
            _summary(active.get(name), newest[name], switches.get(name), in_flight) for name in sorted(newest)
        ]

    async def card(self, name: str) -> Card:
        """A playbook with its versions; NotFoundError if there is none."""
        async with self._store.begin() as store:
            versions = await _versions(store, name)
            switch = (await store.switches.all()).get(name)
            in_flight = await store.versions.in_flight(name)
            in_force = await store.versions.in_force(name)
        active = next((each for each in versions if each.active), None)
        return Card(
            name=name,
            title=(active or versions[-1]).definition.title,
            state=_state(active, switch),
            reason=_reason(switch),
            active_version=active.version if active else None,
            versions=[_version_info(each, in_force, in_flight) for each in versions],
        )

    async def version(self, name: str, version: int) -> StoredVersion:
        """One version; NotFoundError if there is none."""
        async with self._store.begin() as store:
            return _one(version, await _versions(store, name))

    def plain(self, stored: StoredVersion) -> dict[str, Any]:
        """What a version says, as JSON."""
        return self._documents.plain(stored.definition)

    def yaml(self, stored: StoredVersion) -> str:
        """What a version says, as a file."""
        return self._documents.yaml(stored.definition)

    async def difference(self, name: str, before: int, after: int) -> Difference:
        """What differs between two versions."""
        async with self._store.begin() as store:
            versions = await _versions(store, name)
        old, new = (self.plain(_one(each, versions)) for each in (before, after))
        return difference(old, new)

    async def check(self, text: str, *, is_json: bool = False) -> Checked:
        """All that is wrong with a document, and what looks wrong; nothing is kept."""
        try:
            written = await self._read(text, is_json)
        except MistakenError as mistaken:
            return Checked(valid=False, mistakes=[*mistaken.mistakes], warnings=[])
        async with self._store.begin() as store:
            return Checked(valid=True, mistakes=[], warnings=await self._warnings(store, written))

    # ---- writing

    async def create(
        self, name: str | None, text: str, actor: Actor, note: str, *, is_json: bool = False
    ) -> Created:
        """Keep a document as the next version of the playbook it names, which starts nothing until it is activated.

        MistakenError for mistakes, InvalidError where it is not of `name`.
        """
        written = await self._read(text, is_json)
        definition = written.definition
        if name is not None and definition.name != name:
            raise InvalidError(
                f"The document is of the playbook {definition.name}, not {name}: send it there, or change its name."
            )
        now = self._clock.now()
        async with self._store.begin() as store:
            await store.versions.lock()
            version, created = await store.versions.add(definition, str(actor), note, now)
            if created:
                await self._audit(store, actor, "created", definition.name, version=version, note=note)
            in_flight = await store.versions.in_flight(definition.name)
            found = await self._warnings(store, written)
        return Created(
            name=definition.name, version=version, created=created, warnings=found, runs_in_flight=in_flight,
            told=told_of_runs(in_flight, version),
        )  # fmt: skip

    async def activate(self, name: str, version: int, actor: Actor, note: str = "") -> Changed:
        """Put a version in force, in place of the one that was."""
        async with self._store.begin() as store:
            await store.versions.lock()
            return await self._put_in_force(store, name, version, actor, note)

    async def roll_back(self, name: str, actor: Actor, note: str = "") -> Changed:
        """Put the version in force again that was before; twice goes back two versions."""
        async with self._store.begin() as store:
            await store.versions.lock()
            await _versions(store, name)
            before = _before(await store.versions.in_force(name))
            if before is None:
                raise ConflictError(
                    f"No version of the playbook {name} was in force before the present one: activate one by its number.",
                    code="nothing_before",
                )
            return await self._put_in_force(store, name, before, actor, note)

    async def _put_in_force(
        self, store: Management, name: str, version: int, actor: Actor, note: str
    ) -> Changed:
        versions = await _versions(store, name)
        wanted = _one(version, versions)
        switch = (await store.switches.all()).get(name)
        if switch is not None and switch.state == "archived":
            raise ConflictError(
                f"The playbook {name} is archived: POST /v1/playbooks/{name}:resume first.", code="archived"
            )
        before = next((each.version for each in versions if each.active), None)
        if not wanted.active:
            await store.versions.activate(name, version)
            await self._audit(store, actor, "activated", name, version=version, before=before, note=note)
        in_flight = await store.versions.in_flight(name)
        return Changed(
            name=name, version=version, changed=not wanted.active, runs_in_flight=in_flight,
            told=told_of_runs(in_flight, version),
        )  # fmt: skip

    async def _read(self, text: str, is_json: bool) -> Written:
        return await asyncio.to_thread(self._documents.read, text, is_json=is_json)

    async def _warnings(self, store: Management, written: Written) -> list[Mistake]:
        names = {name for name, _ in thresholds_named(written.definition)}
        return warnings(written, self._endpoints, await store.versions.never_told(names))

    async def _audit(self, store: Management, actor: Actor, action: str, name: str, **detail: Any) -> None:
        told = Audited(
            at=self._clock.now(), actor=str(actor), action=action, subject=f"playbook:{name}", detail=detail
        )
        await store.audit.add([told])


def _summary(
    active: StoredVersion | None, newest: StoredVersion, switch: Switch | None, in_flight: list[InFlight]
) -> PlaybookSummary:
    definition = (active or newest).definition
    return PlaybookSummary(
        name=definition.name,
        title=definition.title,
        state=_state(active, switch),
        reason=_reason(switch),
        active_version=active.version if active else None,
        newest_version=newest.version,
        trigger=definition.trigger,
        purpose=definition.serves,
        priority=definition.priority,
        runs_in_flight=sum(each.runs for each in in_flight if each.playbook == definition.name),
    )


def _version_info(stored: StoredVersion, in_force: list[InForce], in_flight: list[InFlight]) -> VersionInfo:
    return VersionInfo(
        version=stored.version,
        origin=stored.origin,
        author=stored.author,
        note=stored.note,
        created_at=stored.created_at,
        active=stored.active,
        in_force=[each for each in in_force if each.version == stored.version],
        runs_in_flight=sum(each.runs for each in in_flight if each.version == stored.version),
    )


def _state(active: StoredVersion | None, switch: Switch | None) -> State:
    if switch is not None and switch.state != "active":
        return switch.state
    return "active" if active is not None else "inactive"


def _reason(switch: Switch | None) -> str | None:
    return switch.reason if switch is not None and switch.state != "active" else None


async def _versions(store: Management, name: str) -> list[StoredVersion]:
    found = await store.versions.of(name)
    if not found:
        raise NotFoundError(f"There is no playbook {name!r}; GET /v1/playbooks lists them.")
    return found


def _one(version: int, versions: list[StoredVersion]) -> StoredVersion:
    found = next((each for each in versions if each.version == version), None)
    if found is None:
        name, there = versions[0].definition.name, ", ".join(str(each.version) for each in versions)
        raise NotFoundError(f"There is no version {version} of the playbook {name}; there are {there}.")
    return found


def _before(in_force: list[InForce]) -> int | None:
    """The version that was in force before the present one first was. Going back twice goes back two, not forth again."""
    # What was in force when the audit begins is told by its first line alone.
    stack = [each.before for each in in_force[:1] if each.before is not None]
    for each in in_force:
        known = stack.index(each.version) if each.version in stack else len(stack)
        stack[known:] = [each.version]
    return stack[-2] if len(stack) > 1 else None
