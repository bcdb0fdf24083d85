"""`csm keys`: make, list and revoke API keys, as the database's administrator."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from csm_cli.stack.description import running
from csm_common.database.engine import create_engine
from csm_common.web.keys import SCOPES, KeyInfo, KeyStore

Result = TypeVar("Result")

keys = typer.Typer(
    no_args_is_help=True,
    help="API keys: make, list, revoke. Uses the running stack's database, or the one --dsn names.",
)

Home = Annotated[Path, typer.Option("--home", help="Home of the stack whose database to use.")]
Dsn = Annotated[
    str | None,
    typer.Option(
        "--dsn", envvar="CSM_ADMIN_DSN", help="Administrator's DSN of the database csm, instead of --home."
    ),
]


@keys.command(
    epilog="Examples: csm keys create backend --scope events:write --days 365 ·"
    " csm keys create website --scope track:write --source web ·"
    " csm keys create crm-emea --scope health:read --rows team:emea",
)
def create(
    name: Annotated[str, typer.Argument(help="Who will use it; shown in lists.")],
    scope: Annotated[
        list[str], typer.Option("--scope", help=f"May be given several times: {', '.join(SCOPES)}.")
    ],
    days: Annotated[
        int | None, typer.Option("--days", min=1, help="Ends after so many days; never, unless given.")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option("--source", help="The system that will use it. A new key for the same system keeps it."),
    ] = None,
    events_per_s: Annotated[
        int | None, typer.Option("--events-per-s", min=1, help="A limit of its own for what it sends.")
    ] = None,
    rows: Annotated[
        str,
        typer.Option(
            "--rows", help="The accounts it may see: all, team:NAME or owner:ID. With health:read alone."
        ),
    ] = "all",
    home: Home = Path(".csm"),
    dsn: Dsn = None,
) -> None:
    """Make a key and print it. It cannot be shown again: only a hash of it is kept."""
    expires_at = datetime.now(UTC) + timedelta(days=days) if days else None

    def make(store: KeyStore) -> Awaitable[str]:
        return store.create(
            name=name,
            scopes=scope,
            expires_at=expires_at,
            source=source,
            events_per_s=events_per_s,
            rows=rows,
        )

    typer.echo(_with_store(home, dsn, make))


@keys.command("list", epilog="Example: csm keys list --home .csm")
def list_keys(home: Home = Path(".csm"), dsn: Dsn = None) -> None:
    """Show all keys with their scopes and state; never their secrets."""
    table = Table("key", "name", "scopes", "rows", "source", "made", "state")
    for each in _with_store(home, dsn, lambda store: store.list()):
        scopes, made = ", ".join(each.scopes), f"{each.created_at:%Y-%m-%d %H:%M}"
        table.add_row(each.key_id, each.name, scopes, each.rows, each.source, made, _state(each))
    Console().print(table)


@keys.command(epilog="Example: csm keys revoke 3f9a0c12be77")
def revoke(
    key_id: Annotated[str, typer.Argument(help="The key's id, as `csm keys list` shows it.")],
    home: Home = Path(".csm"),
    dsn: Dsn = None,
) -> None:
    """End a key. Services obey within five seconds."""
    _with_store(home, dsn, lambda store: store.revoke(key_id))
    typer.echo(f"The key {key_id} is revoked.")


def _state(key: KeyInfo) -> str:
    if key.revoked_at:
        return f"revoked {key.revoked_at:%Y-%m-%d}"
    if key.expires_at and key.expires_at <= datetime.now(UTC):
        return f"expired {key.expires_at:%Y-%m-%d}"
    return f"until {key.expires_at:%Y-%m-%d}" if key.expires_at else "in force"


def _with_store(home: Path, dsn: str | None, work: Callable[[KeyStore], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        engine = create_engine(dsn or _stack_dsn(home))
        try:
            return await work(KeyStore(engine))
        finally:
            await engine.dispose()

    return asyncio.run(run())


def _stack_dsn(home: Path) -> str:
    return str(running(home, instead="--dsn")["postgres"]["dsn"])
