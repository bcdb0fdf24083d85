"""The fleet guard at work: looks at all sources now and then, and announces those that fall silent or come back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from csm_common.clock import Clock
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from health_score.application.model_ports import ChangeKind, ModelChange
from health_score.domain.guard import GuardPolicy, Source, judge

log = get_logger(__name__)

NOT_WATCHED_S = 600.0
"""After so long without a look nobody knows whether a silence was one."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the guard sees: all sources, which of them are silent since when, and since when it has been watching."""

    sources: Sequence[Source]
    silent: Mapping[str, float]
    since: float


class Watch(Protocol):
    """The guard's tables, under a lock that lets one process in at a time."""

    async def watch(self, tx: AsyncConnection, now: datetime, not_watched_s: float) -> Watched | None:
        """All sources, with their pauses brought up to date; None if another process is at it."""
        ...

    async def announce(self, tx: AsyncConnection, change: ModelChange) -> None:
        """Change the model: a source is silent, or back."""
        ...


async def guard(tx: AsyncConnection, watch: Watch, policy: GuardPolicy, clock: Clock) -> None:
    """One look."""
    now = clock.now()
    watched = await watch.watch(tx, now, NOT_WATCHED_S)
    if watched is None:
        return
    metrics.silent_sources.set(len(watched.silent))
    for source in watched.sources:
        verdict = judge(source, watched.silent.get(source.type), watched.since, now.timestamp(), policy)
        if verdict == "silence":
            since = datetime.fromtimestamp(source.last_at, UTC)
            note = f"no account has sent {source.type} since {since:%Y-%m-%d %H:%M:%S} UTC; its measures stand still"
            await watch.announce(tx, _change("silence", source.type, note, now, since))
            log.warning("a source is silent for the whole fleet", type=source.type, since=since.isoformat())
        elif verdict == "sound":
            await watch.announce(tx, _change("sound", source.type, f"{source.type} arrives again", now))
            log.info("a source is back", type=source.type)


def _change(
    kind: ChangeKind, type_: str, note: str, now: datetime, since: datetime | None = None
) -> ModelChange:
    return ModelChange(number=0, kind=kind, name=type_, since=since, actor="fleet guard", note=note, at=now)
