"""The packaged message templates: a folder per template with a subject, a plain and an HTML body."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from notifier.application.ports import Rendered, TemplateError
from notifier.domain import wording

PACKAGED = Path(__file__).parent.parent / "templates"

_FILTERS = {
    "change": wording.change,
    "day": wording.day,
    "heading": wording.heading,
    "in_days": wording.in_days,
    "money": wording.money,
    "percent": wording.percent,
    "points": wording.points,
    "words": wording.words,
}
_FILES = ("subject.txt.j2", "body.txt.j2", "body.html.j2")


class Templates:
    """Loads all templates of a folder at once, so that a broken one stops the start and not a message."""

    def __init__(self, folder: Path = PACKAGED) -> None:
        environment = SandboxedEnvironment(
            loader=FileSystemLoader(folder),
            autoescape=lambda name: name is not None and name.endswith(".html.j2"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters.update(_FILTERS)
        names = sorted(each.name for each in folder.iterdir() if each.is_dir())
        self._templates = {
            name: [environment.get_template(f"{name}/{file}") for file in _FILES] for name in names
        }

    @property
    def names(self) -> list[str]:
        """The templates there are."""
        return list(self._templates)

    def render(self, template: str, variables: Mapping[str, Any]) -> Rendered:
        """The words; TemplateError where there is no such template or it fails."""
        files = self._templates.get(template)
        if files is None:
            raise TemplateError(f"there is no template {template!r}; there are {', '.join(self.names)}")
        try:
            subject, text, html = (each.render(variables) for each in files)
        except Exception as error:  # whatever is raised here, the template or what it was given is at fault
            raise TemplateError(f"template {template}: {error}") from error
        return Rendered(subject, text, html)
