"""Small mappings and files for these tests, and shorthands to map single rows."""

import json
from collections.abc import Mapping as Row
from datetime import timedelta
from pathlib import Path
from typing import Any

from csm_cli.importing.mapper import Event, Frame, MapRow, compile_section
from csm_cli.importing.mapping import Mapping, parse
from csm_common.mapping.conversions import Times
from csm_common.mapping.occurrences import Occurrences

USAGE = """
name: sample
sections:
  - name: usage
    files: usage*.csv
    format: csv
    subject: account
    time: at
    facts:
      - type: csm.usage.recorded
        data: {feature: feature, user_id: user, quantity: amount}
"""
HEADER = "account,at,feature,user,amount"


def mapping(text: str = USAGE) -> Mapping:
    """A mapping from its YAML."""
    return parse(text, origin="sample.yaml")


def section_mapper(text: str, header: list[str] | None, *, frame: Frame | None = None) -> MapRow:
    """The row function of the first section of a mapping."""
    section = mapping(text).sections[0]
    return compile_section(section, header, frame or frame_of(), Occurrences())


def frame_of(*, backfill: bool = False, shift: timedelta = timedelta(0), salt: str = "") -> Frame:
    """What the events of a sample share."""
    return Frame("/import/sample", backfill, Times(shift=shift), salt)


def decoded(event: object) -> dict[str, Any]:
    """The CloudEvent as JSON readers see it; the row has to have become one."""
    assert isinstance(event, Event), event
    found: dict[str, Any] = json.loads(event.body)
    return found


def write_csv(path: Path, *rows: str, header: str = HEADER) -> Path:
    """A CSV file with these lines."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def write_jsonl(path: Path, *rows: Row[str, Any]) -> Path:
    """A JSONL file with these objects."""
    path.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return path
