"""The HTTP door: what is asked for, what is refused, and examples that the routes can give."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter
from tests.support.clock import START, ManualClock
from tests.support.keys import MemoryKeys
from tests.unit.playbooks.builders import NOTIFY, TASK, WAIT, a_definition

from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from playbooks.application.effect import Effect
from playbooks.application.funnel import Funnel, Passed, StepCounts
from playbooks.application.measured import (
    ArmMeasured,
    Measured,
    Money,
    PathTally,
    RunCounts,
    Version,
    Wanted,
    exit_kind,
)
from playbooks.domain.definition import Goal, Holdout
from playbooks.domain.effect import Arms, Tally
from playbooks.domain.recovery import Observed
from playbooks.domain.steps import Path, Split, Step
from playbooks.entrypoints import effect_examples as examples
from playbooks.entrypoints.effect_api import create_effect_router

SPLIT = Step(name="tone", split=Split(paths=(Path(name="short", steps=(WAIT,)), Path(name="long"))))
FIRST = a_definition("usage_falling")
SECOND = a_definition(
    "usage_falling",
    steps=(NOTIFY, SPLIT, TASK),
    goal=Goal(condition="score != null && score >= 60", within="60d"),
    holdout=Holdout(share=0.2),
)
NOBODY = Measured(runs=RunCounts(), treated=ArmMeasured(), held_out=ArmMeasured())


class Counted:
    """Effects and Funnels that have counted something already, and remember what they were asked."""

    def __init__(self) -> None:
        self.asked: list[Wanted] = []
        self.planned = Arms(treated=0, held_out=0)
        self.measured = NOBODY
        self.read: datetime | None = None
        self.known = [
            Version(version=2, active=False, definition=SECOND),
            Version(version=1, active=True, definition=FIRST),
        ]
        self.counts = Passed()

    async def versions(self, playbook: str) -> Sequence[Version]:
        return self.known if playbook == "usage_falling" else []

    async def read_until(self) -> datetime | None:
        return self.read

    async def measure(self, wanted: Wanted, planned: Arms, now: datetime) -> Measured:
        self.asked.append(wanted)
        self.planned = planned
        return self.measured

    async def passed(self, wanted: Wanted) -> Passed:
        self.asked.append(wanted)
        return self.counts


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
async def client(counted: Counted) -> AsyncIterator[httpx.AsyncClient]:
    keys, clock = MemoryKeys(), ManualClock()
    app = create_web_app(
        title="playbooks",
        description="",
        authenticator=Authenticator(keys, clock),
        routers=[create_effect_router(counted, counted, clock)],
        ready={},
        alive={},
    )
    headers = {"Authorization": f"Bearer {keys.add(scopes=['playbooks:read'])}"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        yield client


async def answer(client: httpx.AsyncClient, path: str, expected: int = 200, /, **params: Any) -> Any:
    response = await client.get(f"/v1/playbooks/{path}", params=params)
    assert response.status_code == expected, response.text
    return response.json()


async def test_the_effect_is_asked_for_by_version_and_range(
    client: httpx.AsyncClient, counted: Counted
) -> None:
    found = await answer(
        client,
        "usage_falling/effect",
        version=2,
        since="2026-01-01T00:00:00Z",
        until="2026-03-02T10:00:00+01:00",
        detect=0.2,
    )
    assert found["at"] == "2026-03-02T09:00:00Z"
    assert counted.planned == Arms(treated=246, held_out=62)
    [wanted] = counted.asked
    assert (wanted.version, wanted.until) == (2, START)


async def test_the_effect_is_put_together(client: httpx.AsyncClient, counted: Counted) -> None:
    tally = Tally(entered=10, matured=8, reached=4, reached_early=1, planned=8, planned_reached=4)
    counted.measured = replace(
        NOBODY,
        runs=RunCounts(started=10, exited={"late": 2}),
        treated=ArmMeasured(
            tally=tally,
            observed=[Observed(5, 6, 0), Observed(9, 0, 4)],
            revenue=[Money(currency="EUR", accounts=3, entered=30.5, at_stake=10.0)],
        ),
        held_out=ArmMeasured(tally=replace(tally, reached=2)),
        paths=[
            PathTally(step="tone", path="long", entered=3, matured=2, reached=1),
            PathTally(step="tone", path="short", entered=2, matured=0, reached=0),
        ],
    )
    found = await answer(client, "usage_falling/effect", version=2)
    assert found["verdict"]["kind"] == "too_small"
    assert found["uplift"]["difference"] == pytest.approx(0.25)
    assert (found["treated"]["goal"]["rate"], found["held_out"]["goal"]["rate"]) == (0.5, 0.25)
    assert found["treated"]["recovery"] == {"accounts": 10, "recovered": 6, "share": 0.6, "median_hours": 5}
    assert found["treated"]["revenue"] == [
        {"currency": "EUR", "accounts": 3, "entered": 30.5, "at_stake": 10.0}
    ]
    [tone] = found["experiments"]
    assert [(each["path"], each["rate"]) for each in tone["paths"]] == [("long", 0.5), ("short", None)]
    assert found["runs"]["exited"] == {"late": 2}


async def test_all_versions_are_measured_by_the_newest_holdout_and_their_goals_compared(
    client: httpx.AsyncClient, counted: Counted
) -> None:
    found = await answer(client, "usage_falling/effect")
    assert found["verdict"]["planned"] == {"treated": 982, "held_out": 246}
    assert found["cautions"] == [
        "Versions 1, 2 have different goals, and are counted together. Ask for one version."
    ]
    assert counted.asked[0].version is None


async def test_a_playbook_that_holds_nobody_out_says_so(client: httpx.AsyncClient, counted: Counted) -> None:
    counted.known = [Version(version=1, active=True, definition=replace(SECOND, holdout=None))]
    assert (await answer(client, "usage_falling/effect"))["verdict"]["kind"] == "no_holdout"


async def test_accounts_in_both_arms_are_warned_of(client: httpx.AsyncClient, counted: Counted) -> None:
    counted.measured = replace(NOBODY, in_both_arms=1200)
    [caution] = (await answer(client, "usage_falling/effect", version=2))["cautions"]
    assert caution.startswith("1,200 accounts were treated once and held out once, since the holdout changed")


async def test_the_answer_is_as_of_what_was_read_where_the_engine_is_behind(
    client: httpx.AsyncClient, counted: Counted
) -> None:
    for read, at in ((-3, "2026-03-02T06:00:00Z"), (3, "2026-03-02T09:00:00Z")):
        counted.read = START + timedelta(hours=read)
        assert (await answer(client, "usage_falling/effect"))["at"] == at


async def test_a_version_without_a_goal_says_so(client: httpx.AsyncClient) -> None:
    assert (await answer(client, "usage_falling/effect", version=1))["verdict"]["kind"] == "no_goal"


async def test_the_funnel_is_the_active_versions(client: httpx.AsyncClient, counted: Counted) -> None:
    found = await answer(client, "usage_falling/funnel")
    assert (found["version"], [each["step"] for each in found["steps"]]) == (1, ["tell", "wait", "follow_up"])
    assert counted.asked[0].version == 1


async def test_the_funnel_tells_steps_in_order_with_the_way_they_lie_on(
    client: httpx.AsyncClient, counted: Counted
) -> None:
    counted.counts = Passed(
        started=9,
        completed=1,
        steps={"tell": StepCounts(outcomes={"requested": 5}, active=1, exited=1, failed=1, cancelled=1)},
    )
    found = await answer(client, "usage_falling/funnel", version=2)
    assert [(each["step"], each["on"]) for each in found["steps"]] == [
        ("tell", None), ("tone", None), ("wait", "tone/short"), ("follow_up", None),
    ]  # fmt: skip
    assert (found["steps"][0]["reached"], found["steps"][0]["done"]) == (9, 5)


@pytest.mark.parametrize("what", ["effect", "funnel"])
async def test_what_nobody_knows_is_not_found(client: httpx.AsyncClient, what: str) -> None:
    unknown = await answer(client, f"nobody/{what}", 404)
    assert "There is no playbook 'nobody'" in unknown["detail"]
    version = await answer(client, f"usage_falling/{what}", 404, version=9)
    assert "has no version 9; it has 2, 1" in version["detail"]


@pytest.mark.parametrize(
    "params",
    [
        pytest.param({"detect": 0}, id="a difference of nothing"),
        pytest.param({"detect": "nan"}, id="a difference that is no number"),
        pytest.param({"version": 0}, id="version 0"),
        pytest.param({"since": "2026-01-01T00:00:00"}, id="a time without a zone"),
        pytest.param({"since": "0001-01-01T00:00:00+14:00"}, id="a time before all calendars"),
        pytest.param({"until": "9999-12-31T23:59:59-14:00"}, id="a time after all calendars"),
    ],
)
async def test_what_makes_no_sense_is_refused(client: httpx.AsyncClient, params: dict[str, Any]) -> None:
    response = await client.get("/v1/playbooks/usage_falling/effect", params=params)
    assert response.status_code in (400, 422)


def test_the_examples_are_what_the_routes_can_give() -> None:
    for kind, example in ((Effect, examples.EFFECT), (Funnel, examples.FUNNEL)):
        adapter: TypeAdapter[Any] = TypeAdapter(kind)
        assert adapter.dump_python(adapter.validate_python(example), mode="json") == example


@pytest.mark.parametrize(
    ("reason", "by_crossing", "kind"),
    [
        ("at_risk left at 57", True, "crossing"),
        ("exit_when: score == null", True, "condition"),
        ("exit_when: score == null", False, "condition"),
        ("", False, "other"),
    ],
)
def test_exits_are_told_apart_by_their_reason(reason: str, by_crossing: bool, kind: str) -> None:
    assert exit_kind(reason, by_crossing) == kind
