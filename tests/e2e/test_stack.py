"""The whole product as `csm up` starts it on one machine: whatever dies comes back, and a restart loses no score."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import psutil
import pytest
from tests.support.brokers import Broker
from tests.support.stack import Stack, csm, fact, running_stack
from tests.support.waiting import eventually

SERVICES = ("ingest", "health_score", "playbooks", "notifier")


@pytest.fixture(scope="module")
async def stack(embedded_broker: Broker) -> AsyncIterator[Stack]:
    async with running_stack(embedded_broker) as running:
        yield running


async def use(stack: Stack, account: str) -> None:
    await stack.accept(fact(account, "usage.recorded", {"feature": "report", "user_id": "u1"}))


async def scored(stack: Stack, account: str) -> dict[str, Any] | None:
    """The health of the account, None until there is one."""
    try:
        return await stack.health(account)
    except (httpx.TransportError, AssertionError):
        return None


async def test_every_service_comes_back_from_a_kill_and_goes_on(stack: Stack) -> None:
    killed = {service: stack.kill(service) for service in SERVICES}

    for service, pid in killed.items():
        await stack.restarted(service, pid)

    csm("status", "--home", str(stack.home))
    await use(stack, "globex")
    await eventually(lambda: scored(stack, "globex"), 60.0, what="globex has a score")


async def test_a_restart_keeps_scores_and_keys_although_the_broker_forgets(stack: Stack) -> None:
    await use(stack, "initech")
    before = await eventually(lambda: scored(stack, "initech"), 60.0, what="initech has a score")
    was = stack.described
    port_base = was["ingest"]["url"].rpartition(":")[2]

    csm("down", "--home", str(stack.home))
    assert not [pid for pid in was["pids"].values() if psutil.pid_exists(pid) and not zombie(pid)]
    csm("up", "--home", str(stack.home), "--port-base", port_base, "--no-demo", "--detach")

    assert {**stack.described, "pids": {}} == {**was, "pids": {}}
    after = await eventually(lambda: scored(stack, "initech"), 60.0, what="initech is remembered")
    assert after["score"] == pytest.approx(before["score"], abs=1.0)
    await use(stack, "umbrella")
    await eventually(lambda: scored(stack, "umbrella"), 60.0, what="the new log is read from its start")


def zombie(pid: int) -> bool:
    return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
