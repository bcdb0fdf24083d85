"""`csm rebuild`: prove that every account is what the log says, and put right what is not."""

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from csm_cli.stack.child import python
from csm_cli.stack.description import running
from csm_cli.stack.options import DEFAULT_HOME


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
        described = running(home, instead="--dsn and --kafka")
        dsn, kafka = dsn or described["postgres"]["dsn"], kafka or described["kafka"]["bootstrap"]
    environment = {**os.environ, "CSM_DATABASE__DSN": dsn, "CSM_KAFKA__BOOTSTRAP": kafka}
    command = [*python("health_score.rebuild"), *(["--write"] if write else [])]
    raise typer.Exit(subprocess.run(command, env=environment, check=False).returncode)
