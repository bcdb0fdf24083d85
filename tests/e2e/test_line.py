"""The line end to end, as real processes: facts in over HTTP, one mail out, on both brokers."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.support.brokers import Broker
from tests.support.stack import Stack, account_with_owner, escalations, fact, running_stack
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
async def stack(fresh_broker: Broker) -> AsyncIterator[Stack]:
    async with running_stack(fresh_broker) as running:
        yield running


async def test_escalations_and_silence_move_the_score_and_reach_the_owner_once(stack: Stack) -> None:
    account, address = "acme", "dana@example.com"
    await stack.accept(*account_with_owner(account, address))
    before = await eventually(lambda: _scored(stack, account, facts=82), what="the history is folded")
    await stack.accept(*escalations(account, 3))
    mails = await eventually(lambda: stack.mails(address), what="the owner has mail")
    after = await stack.health(account)

    assert after["score"] < before["score"]
    assert "at_risk" in after["thresholds"]
    assert "acme Ltd" in mails[0]["subject"] + mails[0]["text"]
    assert mails[0]["html"]

    runs = (await stack.get("playbooks", f"/v1/runs?account={account}"))["runs"]
    sent = await eventually(lambda: _sent(stack, account, len(mails)), what="the sending is recorded")
    assert {each["status"] for each in sent} == {"sent"}
    assert len(sent) == len({run["playbook"] for run in runs if run["playbook"].startswith("account_")})

    # The delivery comes back as a fact and is folded like any other.
    await eventually(lambda: _scored(stack, account, facts=85 + len(sent)), what="the outcomes are folded")
    assert len(await stack.mails(address)) == len(sent)


async def test_a_critical_account_becomes_a_task(stack: Stack) -> None:
    account = "crisis"
    await stack.accept(*account_with_owner(account, "erin@example.com"))
    invoice = {"invoice_id": "i1", "status": "failed", "amount": 900, "currency": "EUR"}
    await stack.accept(
        *escalations(account, 5),
        fact(account, "invoice.changed", invoice),
        fact(account, "survey.answered", {"kind": "nps", "score": 1}),
    )
    tasks = await eventually(lambda: _items(stack, "playbooks", "tasks", account), what="there is a task")
    assert tasks[0]["owner"] == "dana"
    assert (await stack.health(account))["band"] == "critical"


async def test_recovery_exits_the_run(stack: Stack) -> None:
    account = "phoenix"
    await stack.accept(*account_with_owner(account, "finn@example.com"), *escalations(account, 2))
    await eventually(lambda: _run(stack, account, "account_at_risk", "active"), what="the run waits")
    await stack.accept(
        *(fact(account, "ticket.changed", {"ticket_id": f"t{n}", "status": "solved"}) for n in range(2)),
        *(fact(account, "usage.recorded", {"feature": "report", "user_id": f"u{n % 5}"}) for n in range(60)),
    )
    await eventually(lambda: _run(stack, account, "account_at_risk", "exited"), what="the run is exited")


async def test_a_repeated_batch_changes_nothing(stack: Stack) -> None:
    account = "twice"
    events = escalations(account, 4)
    await stack.accept(*events)
    first = await eventually(lambda: _scored(stack, account, facts=4), what="it is folded")
    known = (await stack.stats())["repeated"]
    await stack.accept(*events)
    await eventually(lambda: _repeated(stack, known + 4), what="the repeats are counted")
    assert (await stack.health(account))["facts"] >= first["facts"] == 4


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"type": ""}, 400),
        ({"subject": None}, 400),
        ({"specversion": "0.3"}, 400),
        ({"data": {"feature": 7}}, 400),
        ({"type": "csm.usage.imagined"}, 400),
    ],
)
async def test_a_bad_event_is_refused_with_a_sentence(
    stack: Stack, change: dict[str, Any], status: int
) -> None:
    answer = await stack.post(fact("refused", "usage.recorded", {"feature": "x"}) | change)
    problem = answer.json()
    assert answer.status_code == status
    assert problem["code"]
    assert problem["message"]


async def test_three_bad_of_a_hundred_are_named_and_the_rest_counts(stack: Stack) -> None:
    account = "mixed"
    events = [fact(account, "usage.recorded", {"feature": "report"}) for _ in range(100)]
    for index in (7, 50, 99):
        events[index]["data"] = {"feature": None}
    answer = (await stack.post(*events)).json()
    assert (answer["accepted"], [each["index"] for each in answer["results"]]) == (97, [7, 50, 99])
    assert all(each["code"] and each["message"] for each in answer["results"])
    await eventually(lambda: _scored(stack, account, facts=97), what="the good ones are folded")


async def _scored(stack: Stack, account: str, *, facts: int) -> dict[str, Any] | None:
    try:
        health = await stack.health(account)
    except AssertionError:
        return None  # not known yet
    return health if health["facts"] >= facts else None


async def _items(stack: Stack, service: str, kind: str, account: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await stack.get(service, f"/v1/{kind}?account={account}"))[kind]
    return found


async def _sent(stack: Stack, account: str, at_least: int) -> list[dict[str, Any]]:
    found = await _items(stack, "notifier", "notifications", account)
    done = len(found) >= at_least and all(each["status"] == "sent" for each in found)
    return found if done else []


async def _run(stack: Stack, account: str, playbook: str, status: str) -> bool:
    runs = await _items(stack, "playbooks", "runs", account)
    return any(run["playbook"] == playbook and run["status"] == status for run in runs)


async def _repeated(stack: Stack, at_least: int) -> bool:
    return (await stack.stats())["repeated"] >= at_least
