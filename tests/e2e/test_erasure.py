"""Erasure through the whole line, as real processes: nothing is left of the account anywhere, and it can begin afresh."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from tests.support.brokers import Broker
from tests.support.stack import Stack, account_with_owner, escalations, fact, running_stack
from tests.support.waiting import eventually

ACCOUNT, ADDRESS, NEW_ADDRESS = "gone", "dana@gone.example", "dana@afresh.example"


@pytest.fixture(scope="module")
async def stack(fresh_broker: Broker) -> AsyncIterator[Stack]:
    async with running_stack(fresh_broker) as running:
        yield running


async def test_an_erased_account_is_nowhere_and_begins_afresh_with_the_next_fact(stack: Stack) -> None:
    await stack.accept(*account_with_owner(ACCOUNT, ADDRESS), *escalations(ACCOUNT, 3))
    await eventually(lambda: stack.mails(ADDRESS), what="the owner has mail")
    revision = (await stack.get("health_score", f"/v1/accounts/{ACCOUNT}"))["revision"]

    report = await erase(stack, f"/v1/accounts/{ACCOUNT}")
    assert report["erased"]["contacts"] == 1
    await eventually(lambda: is_nowhere(stack), what="the account is nowhere")
    assert not any((await erase(stack, f"/v1/accounts/{ACCOUNT}"))["erased"].values())

    await stack.accept(*account_with_owner(ACCOUNT, NEW_ADDRESS), *escalations(ACCOUNT, 3))
    await eventually(lambda: stack.mails(NEW_ADDRESS), what="the owner has mail at the new address")
    afresh = await stack.get("health_score", f"/v1/accounts/{ACCOUNT}")
    assert afresh["revision"] > revision


async def test_an_erased_owner_gets_no_mail_and_the_account_names_nobody(stack: Stack) -> None:
    account, address = "stays", "dana@stays.example"
    await stack.accept(*account_with_owner(account, address, quiet_days=12))
    before = await eventually(
        lambda: stack.mails(address), what="the owner has the mail that a quiet account begins with"
    )

    report = await erase(stack, f"/v1/contacts/dana?account={account}")
    assert report["erased"]["contacts"] == 1
    assert await stack.get("ingest", f"/v1/erasures/{report['id']}") == report
    await eventually(lambda: names_nobody(stack, account), what="the owner is forgotten")
    await eventually(lambda: obeyed(stack, "notifier"), what="the address is forgotten")

    await stack.accept(*escalations(account, 5), *anger(account))
    await eventually(lambda: team_is_told(stack, account), what="the team is told instead")
    assert await stack.mails(address) == before


def anger(account: str) -> list[dict[str, Any]]:
    """What makes an account critical that was only at risk."""
    return [
        fact(account, "survey.answered", {"kind": "nps", "score": 0}),
        fact(account, "sentiment.recorded", {"sentiment": 0}),
        *(fact(account, "invoice.changed", {"invoice_id": f"i{n}", "status": "failed"}) for n in range(3)),
    ]


async def owner_of(stack: Stack, account: str) -> str | None:
    answer = await ask(stack, account)
    found: str | None = answer.json()["attributes"].get("owner") if answer.status_code == 200 else None
    return found


async def names_nobody(stack: Stack, account: str) -> bool:
    return await owner_of(stack, account) is None


async def obeyed(stack: Stack, service: str) -> bool:
    metrics = (await stack.http.get(f"{stack.described[service]['url']}/metrics")).text
    return any(line.startswith("csm_erasures_total{") for line in metrics.splitlines())


async def team_is_told(stack: Stack, account: str) -> bool:
    return any(account in each["subject"] for each in await stack.mails("team@example.com"))


async def ask(stack: Stack, account: str) -> httpx.Response:
    described = stack.described
    return await stack.http.get(
        f"{described['health_score']['url']}/v1/accounts/{account}",
        headers={"authorization": f"Bearer {described['api_key']}"},
    )


async def erase(stack: Stack, path: str) -> dict[str, Any]:
    described = stack.described
    answer = await stack.http.delete(
        f"{described['ingest']['url']}{path}", headers={"authorization": f"Bearer {described['api_key']}"}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def is_nowhere(stack: Stack) -> bool:
    health = await ask(stack, ACCOUNT)
    runs = await stack.get("playbooks", f"/v1/runs?account={ACCOUNT}")
    tasks = await stack.get("playbooks", f"/v1/tasks?account={ACCOUNT}")
    notifications = await stack.get("notifier", f"/v1/notifications?account={ACCOUNT}")
    waiting = [each for each in notifications["notifications"] if each["finished_at"] is None]
    return health.status_code == 404 and not (runs["runs"] or tasks["tasks"] or waiting)
