"""The parts of message templates put together: what is in force, who renders, and the use cases on them."""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncEngine

from csm_common.clock import Clock
from notifier.adapters.templates.catalogue import Catalogue
from notifier.adapters.templates.reader import LintingReader, shipped
from notifier.adapters.templates.renderer import Renderers
from notifier.adapters.templates.store import PostgresTemplateStores
from notifier.application.ports import Channel, OpenWork
from notifier.application.template_tests import TemplateTests
from notifier.application.templating import Templating


class TemplateParts:
    """`renderer` is for messages; what people try out has a process of its own, so that it holds up no message."""

    def __init__(
        self, engine: AsyncEngine, clock: Clock, open_work: OpenWork, channels: Mapping[str, Channel]
    ) -> None:
        self.catalogue = Catalogue(engine)
        self.renderer = Renderers(self.catalogue)
        self._trials = Renderers(self.catalogue, workers=1)
        self.templating = Templating(
            PostgresTemplateStores(engine),
            LintingReader(self._trials),
            self._trials,
            open_work,
            self.catalogue.refresh,
            clock,
        )
        self.tests = TemplateTests(self.templating, channels, open_work, clock)

    async def start(self) -> None:
        """Put what is shipped in force, where people have nothing of theirs, and take over what is."""
        await self.templating.ship(shipped())

    def close(self) -> None:
        """End the processes."""
        self.renderer.close()
        self._trials.close()
