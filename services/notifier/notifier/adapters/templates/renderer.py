"""Implements ports.Renderer by a few child processes, so that no template can hang the service or read what it holds."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Protocol

from notifier.adapters.templates.worker import DiedError, Limits, Worker
from notifier.application.ports import Attachment, Rendered, TemplateError

Plain = Mapping[str, Any]


class InForce(Protocol):
    """The documents in force."""

    @property
    def generation(self) -> int:
        """Another number means other documents."""
        ...

    @property
    def documents(self) -> Sequence[Plain]:
        """Templates and partials."""
        ...


class Renderers:
    """Renders on `workers` processes; `close` ends them."""

    def __init__(self, in_force: InForce, *, workers: int = 2, limits: Limits | None = None) -> None:
        self._in_force = in_force
        self._free: asyncio.LifoQueue[Worker] = asyncio.LifoQueue()
        self._workers = [Worker(limits or Limits()) for _ in range(workers)]
        for each in self._workers:
            self._free.put_nowait(each)

    async def render(self, template: str, locale: str | None, variables: Plain) -> Rendered:
        """The words in the language nearest to the locale; TemplateError where there is no such template or it fails."""
        try:
            return _rendered(
                await self._twice(do="render", name=template, locale=locale, variables=variables)
            )
        except TemplateError as error:
            raise TemplateError(f"template {template}: {error}") from error

    async def trial(self, document: Plain, locale: str | None, variables: Plain) -> Rendered:
        """The words of a document that may not be in force."""
        return _rendered(await self._ask(do="trial", document=document, locale=locale, variables=variables))

    async def lint(self, document: Plain, samples: Mapping[str, Plain]) -> list[dict[str, Any]]:
        """Every mistake in a document's texts; see `linting.lint`."""
        found: list[dict[str, Any]] = await self._ask(do="lint", document=document, samples=samples)
        return found

    def close(self) -> None:
        """End the processes."""
        for each in self._workers:
            each.end()

    async def _twice(self, **job: Any) -> Any:
        """Once more where a child was killed: a message must not fail for that."""
        try:
            return await self._ask(**job)
        except DiedError:
            return await self._ask(**job)

    async def _ask(self, **job: Any) -> Any:
        async with self._worker() as worker:
            if worker.documents_of != self._in_force.generation:
                generation = self._in_force.generation
                await worker.ask({"do": "documents", "documents": list(self._in_force.documents)})
                worker.documents_of = generation
            return await worker.ask(job)

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[Worker]:
        worker = await self._free.get()
        try:
            yield worker
        finally:
            self._free.put_nowait(worker)


def _rendered(words: Mapping[str, Any]) -> Rendered:
    attachments = tuple(
        Attachment(each["name"], each["media_type"], each["body"].encode()) for each in words["attachments"]
    )
    return Rendered(
        subject=words["subject"],
        text=words["text"],
        html=words["html"],
        lead=words["lead"],
        points=tuple(words["points"]),
        attachments=attachments,
    )
