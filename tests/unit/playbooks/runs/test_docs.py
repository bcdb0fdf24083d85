"""The reference names every word that the API can answer."""

from pathlib import Path
from typing import get_args

import pytest

from playbooks.application.moments import What
from playbooks.domain.entry import RefusalCode
from playbooks.domain.run import Awaits, Status

DOCS = (Path(__file__).parents[4] / "docs" / "playbooks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "word", sorted({*get_args(What), *get_args(RefusalCode), *get_args(Awaits), *get_args(Status)})
)
def test_the_reference_names(word: str) -> None:
    assert f"`{word}`" in DOCS
