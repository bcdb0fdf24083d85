"""Puts one import together from its options and runs it; the only file here that knows all the others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console

from csm_cli.importing.checkpoint import (
    Checkpoint,
    CheckpointFile,
    default_path,
    identity_of,
    starting_point,
)
from csm_cli.importing.door import Door, Patience, Refusal, connect
from csm_cli.importing.dry_run import ContractCheck
from csm_cli.importing.files import Plan, plan
from csm_cli.importing.mapper import Frame
from csm_cli.importing.mapping import load
from csm_cli.importing.options import Options
from csm_cli.importing.pipeline import Pipeline, Sink
from csm_cli.importing.rejects import RejectsFile
from csm_cli.importing.report import Bar, once
from csm_cli.importing.shift import shift_to
from csm_cli.importing.stream import Stream, check_columns
from csm_cli.importing.tally import Tally
from csm_cli.importing.target import Target
from csm_common.mapping.conversions import Times


@dataclass(frozen=True, slots=True)
class Result:
    """The account of all rows, where the rejected ones are, and which accounts' backfill could not be ended."""

    tally: Tally
    rejects: Path
    left_out: tuple[Path, ...]
    unended: list[Refusal]


async def run_import(
    options: Options, target: Target | None, console: Console, now: Callable[[], datetime]
) -> Result:
    """Runs the import to its end; `target` None is a dry run, which sends nothing and leaves no checkpoint.

    InvalidError for mistakes in the mapping or the files, PermanentError when ingest refuses, TransientError when it
    stays away; after the last two, and after a kill, the same import goes on where it stood.
    """
    planned = plan(options.files, load(options.mapping))
    path = options.checkpoint or _default_checkpoint(options, target, planned)
    checkpoints = CheckpointFile(path)
    checkpoint = _start(options, planned, None if options.fresh or target is None else checkpoints.read())
    if options.shift_to_now and checkpoint.shift_s is None:
        checkpoint.shift_s = _shift(options, planned, console, now())
        if target:
            checkpoints.write(
                checkpoint
            )  # before anything is sent: the same rows must never go out with another shift
    frame = _frame(options, planned, checkpoint)
    check_columns(planned, frame)
    rejects = RejectsFile(options.rejects or path.with_suffix(".rejects.jsonl"), checkpoint.rejects_bytes)
    try:
        with (
            Stream(planned, frame, options.limit) as stream,
            Bar(console, _title(checkpoint), _bytes(planned), options.limit) as bar,
        ):
            async with connect() as client:
                pipeline = Pipeline(
                    stream,
                    _sink(client, target, options, bar),
                    frame,
                    checkpoint,
                    rejects,
                    bar,
                    batch=options.batch,
                    checkpoints=checkpoints if target else None,
                )
                unended = await pipeline.run()
    finally:
        rejects.close()
    return Result(checkpoint.tally, rejects.path, planned.left_out, unended)


def _default_checkpoint(options: Options, target: Target | None, planned: Plan) -> Path:
    name = target.name if target else "dry-run"
    return default_path(options.stack.parent, name, options.files, planned.mapping, options.limit)


def _start(options: Options, planned: Plan, found: Checkpoint | None) -> Checkpoint:
    identity = identity_of(
        planned, limit=options.limit, backfill=options.backfill, shifted=options.shift_to_now
    )
    return starting_point(found, identity)


def _shift(options: Options, planned: Plan, console: Console, now: datetime) -> int:
    times = Times(ZoneInfo(planned.mapping.timezone))
    with Bar(console, "finding the newest time", None if options.limit else _bytes(planned)) as bar:
        return int(shift_to(now, planned, times, options.limit, bar.grow).total_seconds())


def _frame(options: Options, planned: Plan, checkpoint: Checkpoint) -> Frame:
    shift_s = (checkpoint.shift_s or 0) if options.shift_to_now else 0
    times = Times(ZoneInfo(planned.mapping.timezone), timedelta(seconds=shift_s))
    return Frame(planned.mapping.source, options.backfill, times, salt=str(shift_s) if shift_s else "")


def _sink(client: httpx.AsyncClient, target: Target | None, options: Options, bar: Bar) -> Sink:
    if target is None:
        return ContractCheck()
    patience = Patience(total_s=options.patience_s)
    return Door(client, target.url, target.key, patience=patience, waiting=once(bar.note))


def _title(checkpoint: Checkpoint) -> str:
    return f"going on behind row {checkpoint.rows:,}" if checkpoint.rows else "importing"


def _bytes(planned: Plan) -> int:
    return sum(each.path.stat().st_size for each in planned.readings)
