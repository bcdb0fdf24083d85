"""The vendors' own SDKs send through a network that goes wrong: every message counts exactly once in the account's state."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.support.brokers import Broker
from tests.support.flaky_proxy import Fault, FlakyProxy, flaky_proxy
from tests.support.sdks import NODE_SDKS, PYTHON_SDKS, Script, node_modules, run
from tests.support.stack import Stack, fact, running_stack
from tests.support.waiting import eventually

EVENTS = [f"Feature {n}" for n in range(5)]
FACTS = len(EVENTS) + 1
"""What an SDK's script becomes: the account, and a use of each feature."""

FAULTS: list[Fault] = ["refuse", "lose", "limit"]


@pytest.fixture(scope="module")
async def stack(embedded_broker: Broker) -> AsyncIterator[Stack]:
    async with running_stack(embedded_broker) as running:
        yield running


async def test_python_sdks_count_once(stack: Stack) -> None:
    await asyncio.gather(*(_counts_once(stack, sdk) for sdk in PYTHON_SDKS))


async def test_node_sdks_count_once(stack: Stack) -> None:
    try:
        await asyncio.to_thread(node_modules)
    except RuntimeError as error:
        pytest.skip(str(error))
    await asyncio.gather(*(_counts_once(stack, sdk) for sdk in NODE_SDKS))


async def _counts_once(stack: Stack, sdk: str) -> None:
    account = f"of-{sdk.replace('/', '-').removeprefix('@')}"
    async with flaky_proxy(stack.described["ingest"]["url"], FAULTS) as proxy:
        said = await run(_script(stack, sdk, account, proxy))
        assert (list(proxy.left), proxy.lost) == ([], [200]), said
    await eventually(lambda: _folded(stack, account, FACTS), what=f"all of it is folded; {said}")
    # One more fact of the same account comes behind everything that could have been counted twice.
    await stack.accept(fact(account, "usage.recorded", {"feature": "last"}))
    await eventually(lambda: _folded(stack, account, FACTS + 1), what="the last fact is folded")
    assert (await stack.health(account))["facts"] == FACTS + 1, said
    assert (await stack.stats())["conflicting"] == 0
    known = (await stack.get("health_score", f"/v1/accounts/{account}"))["attributes"]
    assert (known["name"], known["plan"], known["arr"]) == (f"{account} Ltd", "business", 1200.0)


def _script(stack: Stack, sdk: str, account: str, proxy: FlakyProxy) -> Script:
    return Script(
        sdk=sdk,
        host=proxy.url,
        key=stack.described["ingest"]["write_key"],
        user=f"user-of-{account}",
        account=account,
        traits={"name": f"{account} Ltd", "plan": "business", "mrr": 100, "seats": 12},
        events=EVENTS,
    )


async def _folded(stack: Stack, account: str, at_least: int) -> bool:
    try:
        return bool((await stack.health(account))["facts"] >= at_least)
    except AssertionError:
        return False  # not known yet
