"""A receiver, a stack file that names it, and a set of files to import."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.importing.receiver import KEY, Receiver

MAPPING = """
name: sample
sections:
  - name: usage
    files: usage*.csv
    format: csv
    subject: account
    time: at
    facts:
      - type: csm.usage.recorded
        data: {feature: feature, quantity: amount}
"""
ROWS = 3_000
FAULTY_EVERY = 500  # these quantities are negative, which ingest refuses


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    async with Receiver() as listening:
        yield listening


@pytest.fixture
def home(tmp_path: Path, receiver: Receiver) -> Path:
    """The home of a stack whose ingest is the receiver; files below `data`."""
    stack = {"ingest": {"url": receiver.url, "write_key": KEY}}
    (tmp_path / "stack.json").write_text(json.dumps(stack), encoding="utf-8")
    (tmp_path / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    (tmp_path / "data").mkdir()
    rows = [
        f"acme{number % 7},2026-01-{number % 28 + 1:02},f{number % 5},{quantity(number)}"
        for number in range(ROWS)
    ]
    rows[1] = rows[0]  # equal rows are two events
    (tmp_path / "data" / "usage.csv").write_text(
        "\n".join(["account,at,feature,amount", *rows]), encoding="utf-8"
    )
    return tmp_path


def quantity(number: int) -> int:
    """The quantity in a row, negative in the last of each `FAULTY_EVERY`."""
    return -1 if (number + 1) % FAULTY_EVERY == 0 else number
