"""`csm rebuild`: prove that every account is what the log says, and put right what is not."""

import os
import subprocess
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from csm_cli.stack.child import python
from csm_cli.stack.home import Home
from csm_cli.stack.options import DEFAULT_HOME
from csm_common.errors import InvalidError


def rebuild(
    write: Annotated[
        bool, typer.Option("--write", help="Put right what differs; stop health-score first.")
    ] = False,
    home: Annotated[Path, typer.Option("--home", help="Home of the stack.")] = DEFAULT_HOME,
    dsn: Annotated[
        str | None, typer.Option("--dsn", help="DSN of health-score's database, instead of --home's.")
    ] = None,
    kafka: Annotated[
        str | None, typer.Option("--kafka", metavar="HOST:PORT", help="The brokers, instead of --home's.")
    ] = None,
) -> None:
    """Fold every account anew from the log and compare it with the state that is kept.

    Ends with 0 where all agree, 1 where something differs, 2 where it cannot be done. Facts go on flowing meanwhile.

    Examples:

      csm rebuild

      csm rebuild --write --dsn postgresql://health_score:…@db/csm --kafka kafka:9092
    """
    if dsn is None or kafka is None:
        described = _described(Home(home))
        dsn, kafka = dsn or described["postgres"]["dsn"], kafka or described["kafka"]["bootstrap"]
    environment = {**os.environ, "CSM_DATABASE__DSN": dsn, "CSM_KAFKA__BOOTSTRAP": kafka}
    command = [*python("health_score.rebuild"), *(["--write"] if write else [])]
    raise typer.Exit(subprocess.run(command, env=environment, check=False).returncode)


def _described(home: Home) -> dict[str, dict[str, str]]:
    try:
        return msgspec.json.decode(home.stack_file.read_bytes(), type=dict, strict=False)
    except FileNotFoundError:
        raise InvalidError(
            f"No stack runs on {home.path}: start one with `csm up`, or give --dsn and --kafka."
        ) from None
