"""What people do with message templates: write versions, compare, put them in force, look at them, and send one to themselves."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from csm_common.clock import Clock
from csm_common.errors import InvalidError, NotFoundError
from notifier.application import template_samples
from notifier.application.ports import OpenWork, Rendered, TemplateError
from notifier.application.template_mistakes import MistakenError
from notifier.application.template_ports import (
    Audited,
    Changed,
    Checked,
    Created,
    Plain,
    Reader,
    StoredVersion,
    TemplateStore,
    TemplateStores,
    Trials,
    Written,
)
from notifier.domain.briefing import brief


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What to look at: a version (the active one unless told) or an unsaved `source`, with a sample, context or notification."""

    locale: str | None = None
    version: int | None = None
    source: str | None = None
    context: Mapping[str, Any] | None = None
    notification_id: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The words, and the variables they were made of."""

    words: Rendered
    variables: Mapping[str, Any]


class Templating:
    """The use cases; `changed` lets this process see at once what is in force."""

    def __init__(
        self,
        stores: TemplateStores,
        reader: Reader,
        trials: Trials,
        open_work: OpenWork,
        changed: Callable[[], Awaitable[None]],
        clock: Clock,
    ) -> None:
        self._stores = stores
        self._reader = reader
        self._trials = trials
        self._open_work = open_work
        self._changed = changed
        self._clock = clock

    async def ship(self, shipped: Sequence[Written]) -> Sequence[tuple[str, int]]:
        """At the start: what is shipped is put in force, except where people have put something of theirs in force."""
        async with self._stores.begin() as store:
            new = await store.ship(shipped, self._clock.now())
            for name, version in new:
                await self._audit(store, "system", "activated", name, version=version, note="shipped")
        await self._changed()
        return new

    async def all(self) -> Sequence[StoredVersion]:
        """Of each name the newest version and the active one, by name."""
        async with self._stores.begin() as store:
            return await store.shown()

    async def versions(self, name: str) -> Sequence[StoredVersion]:
        """Oldest first; NotFoundError if there is none."""
        async with self._stores.begin() as store:
            return await _versions(store, name)

    async def version(self, name: str, version: int | None = None) -> StoredVersion:
        """One version, the active one unless told; NotFoundError if there is none."""
        return _one(await self.versions(name), version)

    async def difference(self, name: str, before: int, after: int) -> str:
        """What differs between two versions, line by line as `diff -u` says it."""
        versions = await self.versions(name)
        old, new = (_one(versions, each).source.splitlines() for each in (before, after))
        titles = (f"{name} v{before}", f"{name} v{after}")
        return "\n".join(unified_diff(old, new, *titles, lineterm=""))

    async def check(self, text: str, *, is_json: bool = False) -> Checked:
        """All that is wrong with a document; nothing is kept."""
        try:
            await self._read(text, is_json)
        except MistakenError as mistaken:
            return Checked(valid=False, mistakes=mistaken.mistakes)
        return Checked(valid=True, mistakes=())

    async def create(
        self, name: str | None, text: str, actor: str, note: str, *, is_json: bool = False
    ) -> Created:
        """Keep a document as the next version of the name it has, which is not in force until it is activated."""
        written = await self._read(text, is_json)
        if name is not None and written.name != name:
            raise InvalidError(
                f"The document is of {written.name}, not {name}: send it there, or change its name."
            )
        async with self._stores.begin() as store:
            await store.lock()
            known = await store.of(written.name)
            _same_kind(written, known)
            version, created = await store.add(written, actor, note, self._clock.now())
            if created:
                await self._audit(store, actor, "created", written.name, version=version, note=note)
        return Created(written.name, version, created)

    async def activate(self, name: str, version: int, actor: str, note: str = "") -> Changed:
        """Put a version in force in place of the one that was: every process renders by it within a second."""
        async with self._stores.begin() as store:
            await store.lock()
            versions = await _versions(store, name)
            wanted = _one(versions, version)
            before = next((each.version for each in versions if each.active), None)
            # Also where it is in force already: from now on the name belongs to people, and a start leaves it alone.
            await store.activate(name, version)
            await self._audit(store, actor, "activated", name, version=version, before=before, note=note)
        await self._changed()
        return Changed(name, version, not wanted.active, before)

    async def preview(self, name: str, look: Look) -> Seen:
        """The words; InvalidError where they cannot be made, NotFoundError where there is no such version or notification."""
        document, told = await self._document(name, look), await self._variables(name, look)
        if document["kind"] == "partial":
            raise InvalidError(f"{name} is a partial: preview a template that includes it.")
        try:
            return Seen(await self._trials.trial(document, look.locale, told), told)
        except TemplateError as error:
            raise InvalidError(
                f"The template {name} cannot be rendered: {error}.", code="not_rendered"
            ) from error

    async def tested(self, name: str, actor: str, **detail: Any) -> None:
        """Note that somebody sent it to themselves."""
        async with self._stores.begin() as store:
            await self._audit(store, actor, "tested", name, **detail)

    async def _document(self, name: str, look: Look) -> Plain:
        if look.source is None:
            return (await self.version(name, look.version)).document
        return (await self._read(look.source, is_json=False)).document

    async def _variables(self, name: str, look: Look) -> dict[str, Any]:
        now = self._clock.now()
        if look.notification_id is None:
            told = template_samples.context(now) if look.context is None else look.context
            return template_samples.variables(name, told, now)
        async with self._open_work() as work:
            found = await work.notifications.find(look.notification_id)
            if found is None:
                raise NotFoundError(f"There is no notification {look.notification_id!r}.")
            trends = await work.health.trends({found[0].account_id})
        trend = [{"at": each.at, "score": each.score} for each in trends.get(found[0].account_id, ())]
        return brief(found[0], now, trend)

    async def _read(self, text: str, is_json: bool) -> Written:
        samples = template_samples.samples("sample", self._clock.now())
        return await self._reader.read(text, is_json=is_json, samples=samples)

    async def _audit(self, store: TemplateStore, actor: str, action: Any, name: str, **detail: Any) -> None:
        await store.audit(Audited(at=self._clock.now(), actor=actor, action=action, name=name, detail=detail))


def _same_kind(written: Written, known: Sequence[StoredVersion]) -> None:
    if known and known[0].kind != written.document["kind"]:
        raise InvalidError(f"{written.name} is a {known[0].kind}: give the document another name, or kind.")


async def _versions(store: TemplateStore, name: str) -> Sequence[StoredVersion]:
    found = await store.of(name)
    if not found:
        raise NotFoundError(f"There is no template {name!r}; GET /v1/templates lists them.")
    return found


def _one(versions: Sequence[StoredVersion], version: int | None) -> StoredVersion:
    wanted = [
        each for each in versions if each.version == version or (version is None and each.active)
    ] or list(versions if version is None else ())
    if not wanted:
        name, there = versions[0].name, ", ".join(str(each.version) for each in versions)
        raise NotFoundError(f"There is no version {version} of {name}; there are {there}.")
    return wanted[-1]
