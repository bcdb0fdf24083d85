"""Payloads for the readers: real ones where they are at hand, and messages around any payload."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ingest.application.incoming import Draft, Incoming, Received
from ingest.domain.decision import Rejected

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_BESIDE_THE_REPOSITORY = Path(__file__).parents[4].parent / "shared" / "data"
DATA = Path(os.environ.get("CSM_TEST_DATA", _BESIDE_THE_REPOSITORY))


def sample(name: str) -> bytes:
    """A real payload, such as `zendesk/group_membership_created.json`; the test is skipped where there is none."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"there is no {name} in {DATA}; CSM_TEST_DATA may name another folder")
    return path.read_bytes()


def received(payload: Any, source: str = "webhook/test", **context: str) -> Received:
    """A message with this payload: bytes as they are, anything else as JSON."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Received(format=source, source=source, body=body, at=AT, context=context)


def understood(read: Incoming | Rejected) -> Incoming:
    """What a reader understood."""
    assert isinstance(read, Incoming), read
    return read


def only_draft(read: Incoming | Rejected) -> Draft:
    """The one fact that a reader made."""
    (draft,) = understood(read).drafts
    return draft


def code_of(read: Incoming | Rejected) -> str:
    """The code a reader rejected a message with."""
    assert isinstance(read, Rejected), read
    assert read.message.endswith((".", "`."))
    return read.code
