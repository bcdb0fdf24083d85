"""`csm up`: the whole product on this machine."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from csm_cli.stack.detach import launch
from csm_cli.stack.home import Home
from csm_cli.stack.options import DEFAULT_HOME, DEFAULT_PORT_BASE, Options
from csm_cli.stack.ports import Ports
from csm_cli.stack.progress import Progress
from csm_cli.stack.session import run_stack


def up(
    home: Annotated[Path, typer.Option(help="Where data, logs and keys are kept.")] = DEFAULT_HOME,
    port_base: Annotated[
        int, typer.Option(min=1, max=65528, help="First of eight ports in a row, all on 127.0.0.1.")
    ] = DEFAULT_PORT_BASE,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return when all is ready; `csm down` ends the stack.")
    ] = False,
    demo: Annotated[bool, typer.Option(help="Load a small demo set once all is ready.")] = True,
    kafka: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Use this Kafka, not the embedded broker.")
    ] = None,
    postgres: Annotated[
        str | None,
        typer.Option(metavar="DSN", help="Use this server, as an administrator; not the embedded one."),
    ] = None,
    ingest_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="How ingest reads SDKs and webhooks: the YAML file that CSM_INGEST__CONFIG names otherwise.",
        ),
    ] = None,
) -> None:
    """Start the whole product on this machine: database, broker, sinks for mails and webhooks, four services.

    It needs nothing but Python. Everything is kept in the home directory, so a
    later start finds its data again; only the records of the embedded broker are
    in memory. Ctrl-C ends everything.

    Examples:

      csm up

      csm up --detach --no-demo && csm status

      csm up --home /tmp/second --port-base 7700

      csm up --kafka localhost:9092 --postgres postgresql://postgres:pw@localhost

      STRIPE_WEBHOOK_SECRET=whsec_… csm up --ingest-config ingest.yaml
    """
    options = Options(
        home=Home(home),
        ports=Ports.from_base(port_base),
        demo=demo,
        kafka=kafka,
        postgres=postgres,
        ingest_config=ingest_config.absolute() if ingest_config else None,
    )
    if detach:
        raise typer.Exit(launch(options))
    run_stack(options, Progress(Console()))
