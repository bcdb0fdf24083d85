"""Erasure through the whole line, as real processes: nothing is left of the account anywhere, and it can begin afresh."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.support.brokers import Broker
from tests.support.stack import Stack, account_with_owner, escalations, running_stack
from tests.support.waiting import eventually

ACCOUNT, ADDRESS = "gone", "dana@gone.example"


@pytest.fixture(scope="module")
async def stack(fresh_broker: Broker) -> AsyncIterator[Stack]:
    async with running_stack(fresh_broker) as running:
        yield running


async def test_an_erased_account_is_nowhere_and_begins_afresh_with_the_next_fact(stack: Stack) -> None:
    await stack.accept(*account_with_owner(ACCOUNT, ADDRESS), *escalations(ACCOUNT, 3))
    first = await eventually(lambda: stack.mails(ADDRESS), what="the owner has mail")
    revision = (await stack.get("health_score", f"/v1/accounts/{ACCOUNT}"))["revision"]

    report = await erase(stack)
    assert report["erased"]["contacts"] == 1
    await eventually(lambda: is_nowhere(stack), what="the account is nowhere")
    assert not any((await erase(stack))["erased"].values())

    await stack.accept(*account_with_owner(ACCOUNT, ADDRESS), *escalations(ACCOUNT, 3))
    await eventually(lambda: has_more(stack, len(first)), what="the owner has mail again")
    afresh = await stack.get("health_score", f"/v1/accounts/{ACCOUNT}")
    assert afresh["revision"] > revision


async def erase(stack: Stack) -> dict[str, Any]:
    described = stack.described
    answer = await stack.http.delete(
        f"{described['ingest']['url']}/v1/accounts/{ACCOUNT}",
        headers={"authorization": f"Bearer {described['api_key']}"},
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def is_nowhere(stack: Stack) -> bool:
    described = stack.described
    health: httpx.Response = await stack.http.get(
        f"{described['health_score']['url']}/v1/accounts/{ACCOUNT}",
        headers={"authorization": f"Bearer {described['api_key']}"},
    )
    runs = await stack.get("playbooks", f"/v1/runs?account={ACCOUNT}")
    tasks = await stack.get("playbooks", f"/v1/tasks?account={ACCOUNT}")
    notifications = await stack.get("notifier", f"/v1/notifications?account={ACCOUNT}")
    waiting = [each for each in notifications["notifications"] if each["finished_at"] is None]
    return health.status_code == 404 and not (runs["runs"] or tasks["tasks"] or waiting)


async def has_more(stack: Stack, mails: int) -> bool:
    return len(await stack.mails(ADDRESS)) > mails
