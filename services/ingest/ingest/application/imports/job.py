"""An import as it is watched: what was asked for, and how far it is."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from csm_common.errors import PermanentError, TransientError

Format = Literal["ndjson", "csv"]
Status = Literal["running", "done", "interrupted", "failed"]

STALE_AFTER = timedelta(minutes=5)
"""An import that tells nothing for so long is not running any more: its process ended before it could say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """What the sender asked for. `source` and `type` are for lines that tell none, `format` None is to be found out."""

    id: str
    format: Format | None = None
    source: str | None = None
    type: str | None = None
    backfill: bool = False


@dataclass(slots=True, kw_only=True)
class ImportJob:
    """How far an import is. `lines` and `bytes` (inflated) were read; of the events in them every one is accepted, a duplicate
    of an earlier one, or rejected; `reasons` counts the rejected by code. `problem` tells why an import did not reach its end."""

    id: str
    status: Status = "running"
    format: Format | None = None
    source: str | None = None
    backfill: bool = False
    lines: int = 0
    bytes: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    problem: str | None = None
    started_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None

    def reject(self, code: str, count: int = 1) -> None:
        """Count rejected events."""
        self.rejected += count
        self.reasons[code] = self.reasons.get(code, 0) + count


class SenderGoneError(PermanentError):
    """The rest of the body will not come."""

    code = "incomplete_body"


class SenderSilentError(SenderGoneError):
    """Nothing has come for so long that nothing is expected any more."""

    code = "body_timeout"
    status = 408


class ImportInterruptedError(TransientError):
    """The import could not go on; `job` tells how far it came. Sending the same file again counts nothing twice."""

    def __init__(self, message: str, *, code: str, retry_after: float, job: ImportJob) -> None:
        super().__init__(message, code=code, retry_after=retry_after)
        self.job = job
