"""PostgreSQL and the broker from their wheels: they start alone, keep what they should, and leave nothing behind."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from tests.support.ports import free_port
from tests.support.waiting import eventually

from csm_cli.stack.broker import EmbeddedBroker
from csm_cli.stack.child import accepts
from csm_cli.stack.home import Home
from csm_cli.stack.postgres import EmbeddedPostgres
from csm_cli.stack.processes import Processes
from csm_common.errors import FatalError
from csm_common.kafka.admin import TopicAdmin
from csm_common.settings import KafkaSettings


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that closes its doors to others, as the system user of PostgreSQL has to cope with when we are root."""
    with tempfile.TemporaryDirectory(prefix="csm-test-home-", ignore_cleanup_errors=True) as directory:
        yield Path(directory) / "a home"


async def execute(dsn: str, *statements: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        rows = [await connection.fetch(statement) for statement in statements]
    finally:
        await connection.close()
    return list(rows[-1])


async def test_postgres_keeps_its_data_over_a_restart_and_a_kill(home: Path) -> None:
    server = EmbeddedPostgres(home, free_port())
    with server:
        await execute(server.dsn(), "CREATE TABLE kept (value int)", "INSERT INTO kept VALUES (1)")

    with server:
        await execute(server.dsn(), "INSERT INTO kept VALUES (2)")
        assert server.child.pid is not None
        os.kill(server.child.pid, signal.SIGKILL)
        await eventually(lambda: server.child.exit_code == -signal.SIGKILL)

    with server:
        rows = await execute(server.dsn(), "SELECT value FROM kept ORDER BY value")
        assert [row["value"] for row in rows] == [1, 2]
    assert not Processes(Home(home)).entries()


async def test_postgres_admits_nobody_without_its_password(home: Path) -> None:
    with EmbeddedPostgres(home, free_port()) as server:
        assert Home(home).secrets_file.stat().st_mode & 0o777 == 0o600
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.dsn(), password="wrong")


def test_a_lost_password_is_told_in_one_sentence(home: Path) -> None:
    with EmbeddedPostgres(home, free_port()):
        pass
    Home(home).secrets_file.unlink()

    with pytest.raises(FatalError, match=r"password of .* is not in .*secrets\.json: bring that file back"):
        EmbeddedPostgres(home, free_port()).start()


async def test_a_postmaster_file_whose_pid_is_another_program_s_is_no_obstacle(home: Path) -> None:
    server = EmbeddedPostgres(home, free_port())
    with server:
        lines = (Home(home).postgres / "postmaster.pid").read_text(encoding="utf-8").split("\n")
    left = Home(home).postgres / "postmaster.pid"
    left.write_text("\n".join([str(os.getppid()), *lines[1:]]), encoding="utf-8")

    with server:
        assert await execute(server.dsn(), "SELECT 1 AS one")


async def test_the_broker_answers_and_forgets(home: Path) -> None:
    port = free_port()
    for _ in range(2):  # the second time on the same port: nothing is left there
        with EmbeddedBroker(home, port) as broker:
            admin = TopicAdmin(KafkaSettings(bootstrap=broker.bootstrap, idempotence=False))
            await admin.ensure_topics()
    assert not accepts(port)


def test_a_server_that_cannot_start_shows_its_log(home: Path) -> None:
    port = free_port()
    with EmbeddedBroker(home / "first", port):
        second = EmbeddedPostgres(home / "second", port)
        with pytest.raises(FatalError, match=r"postgres ended with exit code 1 while starting") as failure:
            second.start()
    assert "could not bind" in failure.value.message
    assert second.child.pid is None


async def test_servers_end_with_the_process_that_started_them_even_if_it_is_killed(home: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; from csm_cli.stack.broker import EmbeddedBroker;"
        "EmbeddedBroker(Path(sys.argv[1]), int(sys.argv[2])).start(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    port = free_port()

    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, str(home), str(port))

    assert await process.wait() == -signal.SIGKILL
    await eventually(lambda: not accepts(port), what="the broker has ended")
    await eventually(lambda: not Processes(Home(home)).entries(), what="the guard has done its work")
