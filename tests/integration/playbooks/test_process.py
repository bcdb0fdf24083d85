"""`python -m playbooks` as an operator has it: starts, gets ready, answers with a key, and ends in order when asked."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from tests.support.brokers import Broker
from tests.support.logs import publish
from tests.support.ports import free_port
from tests.support.postgres import Database
from tests.support.waiting import eventually
from tests.unit.playbooks.builders import a_crossing, crossing_value

from csm_common.contracts.topics import HEALTH_CROSSINGS
from csm_common.database.engine import create_engine
from csm_common.database.outbox import Message
from csm_common.web.keys import KeyStore

Environment = dict[str, str]

PLAYBOOK = """
name: account_critical
title: An account has become critical
trigger: {threshold: critical, direction: entered}
steps:
  - name: rescue
    task: {type: rescue, title: Call the account today, reason: critical, assignee: owner, due_in: 1d}
"""


@pytest.fixture
def environment(database: Database, embedded_broker: Broker, tmp_path: Path) -> Environment:
    """What the embedded stack would start the service with."""
    (tmp_path / "account_critical.yaml").write_text(PLAYBOOK)
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("CSM_")},
        "CSM_HTTP__PORT": str(free_port()),
        "CSM_DATABASE__DSN": database.dsn("playbooks"),
        "CSM_KAFKA__BOOTSTRAP": embedded_broker.settings.bootstrap,
        "CSM_KAFKA__IDEMPOTENCE": "false",
        "CSM_KAFKA__ASSIGNMENT": "all",
        "CSM_KAFKA__ON_NEW_LOG": "restart",
        "CSM_KAFKA__FETCH_MAX_WAIT_MS": "10",
        "CSM_PLAYBOOKS__DEFINITIONS": str(tmp_path),
    }


@asynccontextmanager
async def process(environment: Environment) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service; killed where the block leaves it running."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "playbooks", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield started
    finally:
        if started.returncode is None:
            started.kill()
        await started.communicate()


async def test_it_starts_works_answers_and_ends_in_order(
    environment: Environment, database: Database, embedded_broker: Broker
) -> None:
    admin = create_engine(database.admin_dsn)
    token = await KeyStore(admin).create(name="tooling", scopes=["playbooks:read"])
    async with (
        process(environment) as service,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{environment['CSM_HTTP__PORT']}", timeout=30) as client,
    ):
        await eventually(lambda: answers(client, "/readyz"), 60)
        assert await answers(client, "/livez")
        account = database.dsn("playbooks").rsplit("/", 1)[1]  # as unique as the database's name
        now = datetime.now(UTC)
        crossing = crossing_value(f"c-{account}", a_crossing(account, threshold="critical", occurred_at=now))
        await publish(embedded_broker.settings, [Message(HEALTH_CROSSINGS.name, account.encode(), crossing)])

        async def completed() -> bool:
            answer = await client.get(
                "/v1/runs",
                params={"account": account, "status": "completed"},
                headers={"Authorization": f"Bearer {token}"},
            )
            return bool(answer.json()["runs"])

        await eventually(completed)
        metrics = (await client.get("/metrics")).text
        assert "csm_playbooks_runs_started_total{" in metrics
        assert 'playbook="account_critical"' in metrics
        service.send_signal(signal.SIGTERM)
        assert await service.wait() == 0
    async with admin.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM playbooks.outbox")) == 0
    await admin.dispose()


async def answers(client: httpx.AsyncClient, path: str) -> bool:
    try:
        return (await client.get(path)).status_code == 200
    except httpx.TransportError:
        return False


async def test_a_wrong_playbook_stops_it_with_one_clear_line(
    environment: Environment, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("name: broken\ntitle: Broken\n")
    async with process(environment) as service:
        output, _ = await service.communicate()
        assert service.returncode == 1
    assert b"broken.yaml:1:1: trigger: is missing" in output


async def test_it_waits_for_its_servers_and_says_for_which(environment: Environment) -> None:
    nowhere = f"postgresql://playbooks:none@127.0.0.1:{free_port()}/csm"
    async with process({**environment, "CSM_DATABASE__DSN": nowhere}) as service:
        assert service.stdout is not None
        line = await service.stdout.readline()
        assert b"waiting for a server" in line
        assert b"PostgreSQL" in line
