"""Every configuration in docs/webhooks.md is one that ingest takes."""

import re
from pathlib import Path

import pytest
import yaml

from ingest.adapters.configuration import Configuration
from ingest.application.webhooks.connections import connect

PAGE = Path(__file__).parents[4] / "docs" / "webhooks.md"
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 6


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example(example: str) -> None:
    configuration = Configuration.model_validate(yaml.safe_load(example))
    variables = {name: "c2VjcmV0" for hook in configuration.webhooks.values() for name in hook.secret_env}
    assert connect(configuration.webhooks, variables)
