"""`csm down`: end a stack that runs in the background."""

from pathlib import Path
from typing import Annotated

import typer

from csm_cli.stack.home import Home
from csm_cli.stack.options import DEFAULT_HOME
from csm_cli.stack.session import end_stack


def down(
    home: Annotated[Path, typer.Option(help="The home the stack was started with.")] = DEFAULT_HOME,
) -> None:
    """End the stack and wait until all of it is gone. The data stays: `csm up` goes on with it.

    Services finish what they have begun. Only processes that this stack started are
    ended, also those that a killed supervisor has left. Exits 0 when none is running.

    Examples:

      csm down

      csm down --home /tmp/second
    """
    place = Home(home)
    typer.echo("The stack has stopped." if end_stack(place) else f"No stack is running in {place.path}.")
