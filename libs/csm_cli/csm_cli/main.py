"""The `csm` command: builds the app from its commands and tells errors in one sentence."""

from typing import Any

import typer
from typer.core import TyperGroup

from csm_cli.commands.author_tests import run_tests
from csm_cli.commands.down import down
from csm_cli.commands.importing import import_files
from csm_cli.commands.imports import imports
from csm_cli.commands.keys import keys
from csm_cli.commands.logs import logs
from csm_cli.commands.notifications import notifications
from csm_cli.commands.playbooks import playbooks
from csm_cli.commands.rebuild import rebuild
from csm_cli.commands.rejections import rejections
from csm_cli.commands.scorecards import scorecards
from csm_cli.commands.simulate import simulate
from csm_cli.commands.status import status
from csm_cli.commands.subscriptions import subscriptions
from csm_cli.commands.templates import templates
from csm_cli.commands.topics import topics
from csm_cli.commands.up import up
from csm_common.errors import CsmError


class Commands(TyperGroup):
    """Errors raised on purpose are one sentence and exit code 1; anything else is a bug and keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except CsmError as error:
            typer.echo(error.message, err=True)
            raise typer.Exit(1) from error


app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Customer success on events: run the product on this machine, and look after it.",
)
app.command()(up)
app.command()(down)
app.command()(status)
app.command()(logs)
app.command("import")(import_files)
app.command()(rebuild)
app.command(epilog="Example: csm simulate usage_falling --account acme")(simulate)
app.command("test", epilog="Example: csm test playbooks/")(run_tests)
app.add_typer(imports, name="imports")
app.add_typer(rejections, name="rejections")
app.add_typer(scorecards, name="scorecards")
app.add_typer(playbooks, name="playbooks")
app.add_typer(notifications, name="notifications")
app.add_typer(subscriptions, name="subscriptions")
app.add_typer(keys, name="keys")
app.add_typer(topics, name="topics")
app.add_typer(templates, name="templates")

if __name__ == "__main__":
    app()
