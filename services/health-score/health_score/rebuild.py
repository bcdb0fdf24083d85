"""`python -m health_score.rebuild`, for `csm rebuild`: every account rebuilt from the log and compared with what is kept."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from csm_common.database.engine import service_engine
from csm_common.errors import CsmError
from health_score.adapters.kept_states import PostgresKeptStates
from health_score.app import SCHEMA, log_reader
from health_score.application.rebuilding import Comparison, rebuild
from health_score.assembly import create_parts, create_pasts
from health_score.settings import HealthScoreSettings

_SHOWN = 10


def main() -> None:
    """Exit code 0 where everything agrees or was put right, 1 where something differs, 2 where it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m health_score.rebuild", description=__doc__)
    parser.add_argument(
        "--write", action="store_true", help="put right what differs; stop health-score first"
    )
    try:
        agrees = asyncio.run(_run(HealthScoreSettings(), write=parser.parse_args().write))
    except CsmError as error:
        sys.stderr.write(f"{error.message}\n")
        sys.exit(2)
    sys.exit(0 if agrees else 1)


async def _run(settings: HealthScoreSettings, *, write: bool) -> bool:
    engine = service_engine(settings.database, SCHEMA)
    parts = create_parts(engine)
    kept = PostgresKeptStates(engine, parts.codec, parts.models)
    pasts, found = create_pasts(settings.health, log_reader(settings.kafka)), []
    try:
        for partition in await kept.partitions():
            comparison = await rebuild(kept, pasts, partition, write=write)
            _say(_line(comparison))
            found.append(comparison)
    finally:
        await engine.dispose()
    _say(_summary(found, write=write))
    return write or all(each.agrees for each in found)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _line(found: Comparison) -> str:
    told = f"partition {found.partition:3}: {found.facts:,} facts to offset {found.position:,}, {found.equal:,} accounts equal"
    for what, accounts in (
        ("differ", found.differing),
        ("are not kept", found.missing),
        ("are not in the log", found.unknown),
    ):
        if accounts:
            told += f"\n  {len(accounts):,} {what}: {', '.join(sorted(accounts)[:_SHOWN])}"
            told += " …" if len(accounts) > _SHOWN else ""
    return told


def _summary(found: Sequence[Comparison], *, write: bool) -> str:
    equal = sum(each.equal for each in found)
    wrong = sum(len(each.differing) + len(each.missing) for each in found)
    unknown = sum(len(each.unknown) for each in found)
    if not wrong and not unknown:
        return f"All {equal:,} accounts are as the log says."
    put_right = f"{wrong:,} were put right" if write else f"{wrong:,} are not as the log says"
    beyond = f"; {unknown:,} are older than what the log keeps, and stay as they are" if unknown else ""
    return f"{equal:,} accounts are as the log says, {put_right}{beyond}."


if __name__ == "__main__":
    main()
