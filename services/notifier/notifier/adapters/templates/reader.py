"""Implements template_ports.Reader: the shape is checked here, the texts in the child process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from csm_common.errors import FatalError
from notifier.adapters.templates.document import ReadDocument
from notifier.adapters.templates.renderer import Renderers
from notifier.application.ports import TemplateError
from notifier.application.template_mistakes import Mistake, MistakenError
from notifier.application.template_ports import Plain, Written

SHIPPED = Path(__file__).parents[2] / "templates"


class LintingReader:
    """Lints with `renderers`."""

    def __init__(self, renderers: Renderers) -> None:
        self._renderers = renderers

    async def read(self, text: str, *, is_json: bool, samples: Mapping[str, Plain]) -> Written:
        """MistakenError with every mistake of the shape; else with all of the texts; else of the trial renderings."""
        document = ReadDocument(text, "template", is_json=is_json)
        try:
            found = await self._renderers.lint(document.plain, samples)
        except TemplateError as error:
            mistake = Mistake(1, 1, "template", f"it cannot be tried: {error}")
            raise MistakenError([mistake]) from error
        if found:
            raise MistakenError(sorted({_placed(document, each) for each in found}, key=Mistake.place))
        return Written(document.plain, document.written)


def _placed(document: ReadDocument, found: Mapping[str, Any]) -> Mistake:
    return document.mistake(tuple(found["place"]), found["line"], found["near"], found["message"])


def shipped(folder: Path = SHIPPED) -> Sequence[Written]:
    """Every document of the folder; FatalError where one is wrong."""
    files = sorted(folder.rglob("*.yaml"))
    if not files:
        raise FatalError(f"There is no message template in {folder}: put NAME.yaml files there.")
    return [_load(each) for each in files]


def _load(file: Path) -> Written:
    try:
        read = ReadDocument(file.read_text(encoding="utf-8"), file.name)
    except MistakenError as mistaken:
        raise FatalError(f"A message template cannot be used. {mistaken.message}") from mistaken
    written = Written(read.plain, read.written)
    if written.name != file.stem:
        raise FatalError(f"{file.name} holds the template {written.name}: name the file {written.name}.yaml.")
    return written
