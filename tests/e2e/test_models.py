"""A scorecard is changed while the line runs: everybody is judged anew, nobody is approached for it, and the log agrees."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.brokers import Broker
from tests.support.stack import Stack, account_with_owner, csm, escalations, running_stack
from tests.support.waiting import eventually

ACCOUNTS = [f"acct-{number}" for number in range(12)]


@pytest.fixture(scope="module")
async def stack(fresh_broker: Broker) -> AsyncIterator[Stack]:
    async with running_stack(fresh_broker) as running:
        yield running


async def test_a_changed_scorecard_is_read_as_a_change_of_the_model(stack: Stack, tmp_path: Path) -> None:
    for account in ACCOUNTS:
        await stack.accept(*account_with_owner(account, f"{account}@example.com"), *escalations(account, 1))
    await eventually(lambda: _folded(stack, len(ACCOUNTS) * 83), what="all is folded")
    before = {account: await stack.health(account) for account in ACCOUNTS}

    document = await _document(stack)
    assert "half_life_days: 14" in document
    longer = document.replace("version: 1", "version: 2", 1).replace(
        "half_life_days: 14", "half_life_days: 60"
    )
    (tmp_path / "longer.yaml").write_text(longer)
    where = ["--home", str(stack.home)]
    csm("scorecards", "create", str(tmp_path / "longer.yaml"), "--note", "uses are remembered longer", *where)
    csm("scorecards", "activate", "default", "2", "--note", "a quieter quarter", *where)
    await eventually(lambda: _taken_up(stack), what="every account is judged by the new version")

    for account in ACCOUNTS:
        after = await stack.health(account)
        assert (after["scorecard"], after["scorecard_version"]) == ("default", 2)
        assert _volume(after) > 1.5 * _volume(before[account])  # with its past: 80 uses three weeks ago
        told = await stack.get("health_score", f"/v1/accounts/{account}/history?resolution=raw")
        newest = told["changes"][-1]
        assert newest["cause"] == "model"
    csm("rebuild", *where)


async def _document(stack: Stack) -> str:
    described = stack.described
    answer = await stack.http.get(
        f"{described['health_score']['url']}/v1/scorecards/default/versions/1?format=yaml",
        headers={"authorization": f"Bearer {described['api_key']}"},
    )
    assert answer.status_code == 200, answer.text
    return answer.text


async def _folded(stack: Stack, at_least: int) -> bool:
    return (await stack.stats())["folded"] >= at_least


async def _taken_up(stack: Stack) -> bool:
    found: dict[str, Any] = await stack.get("health_score", "/v1/models")
    return bool(found["version"] == 2 and found["done"])


def _volume(health: dict[str, Any]) -> float:
    measures = {each["name"]: each for dimension in health["dimensions"] for each in dimension["measures"]}
    return float(measures["usage_volume"]["value"])
