"""What a person asked of an import."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`stack` is the description of the stack to import into; `url` and `key` take the place of what it says.

    `rejects` and `checkpoint` get a place beside the stack file when they are None.
    """

    files: Sequence[str]
    mapping: str
    stack: Path
    url: str | None = None
    key: str | None = None
    backfill: bool = False
    shift_to_now: bool = False
    limit: int | None = None
    batch: int = 500
    rejects: Path | None = None
    checkpoint: Path | None = None
    fresh: bool = False
    dry_run: bool = False
    strict: bool = False
    patience_s: float = 300.0
