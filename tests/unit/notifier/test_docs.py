"""docs/notifier.md names every setting and every status there is, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from notifier.domain.notification import Status
from notifier.settings import NotifierSettings, SmtpSettings

PAGE = (Path(__file__).parents[3] / "docs/notifier.md").read_text(encoding="utf-8")


def variables(model: type[BaseModel], prefix: str) -> Iterator[str]:
    """The names of environment variables that set the fields."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from variables(field.annotation, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}"


def chapter(title: str) -> str:
    """The text of a chapter."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_every_setting_is_in_the_table() -> None:
    told = re.findall(r"`(CSM_\w+)`", chapter("Settings"))
    assert len(told) == len(set(told))
    assert set(told) == {
        *variables(SmtpSettings, "CSM_SMTP__"),
        *variables(NotifierSettings, "CSM_NOTIFIER__"),
    }


@pytest.mark.parametrize("status", Status)
def test_every_status_is_explained(status: Status) -> None:
    assert re.search(rf"^\|[^|]*`{status}`", chapter("Statuses"), re.MULTILINE)
