"""What every implementation of reads.Reads must do; run in memory in unit/ and on PostgreSQL in integration/."""

from dataclasses import asdict, replace
from datetime import timedelta

import pytest
from tests.support.clock import START
from tests.unit.playbooks.builders import TASK, WAIT, a_crossing, a_definition, a_snapshot
from tests.unit.playbooks.runs.scenes import Scene

from csm_common.errors import InvalidError
from playbooks.application.actor import Actor
from playbooks.application.model import EVERYTHING, Switch
from playbooks.application.reads import EntryFilter, RunFilter, entry_key
from playbooks.application.run_desk import RunDesk
from playbooks.domain.actions import Webhook
from playbooks.domain.definition import Entry, Goal, Holdout
from playbooks.domain.steps import Approve, Branch, Case, Step, WaitUntil

DAY = timedelta(days=1)

ASK = Step(name="ask", approve=Approve(title="Offer a workshop?", by=("ana", "ben")))
CALL = Step(name="crm", webhook=Webhook(endpoint="crm"))
UNTIL = Step(name="recovered", wait_until=WaitUntil(condition="score > 60.0", timeout="14d"))
BRANCH = Step(
    name="by_plan", branch=Branch(cases=(Case(name="pro", when="account.plan == 'pro'", steps=(TASK,)),))
)
HELD = Step(name="offer", sales=True, notify=replace(a_definition().steps[0].notify))  # type: ignore[type-var]


def named(each: object) -> str:
    """What a filter asks for."""
    if not isinstance(each, (RunFilter, EntryFilter)):
        return ""
    return " ".join(f"{name}={value}" for name, value in asdict(each).items() if value is not None) or "all"


async def with_all_kinds(scene: Scene) -> Scene:
    """acme waits in a, has failed in b and is held back in c; beta was asked in a, gamma has not begun; delta is left alone."""
    await scene.ship(
        a_definition("a", steps=(BRANCH, ASK), entry=Entry(once_per="30d")),
        a_definition("b", steps=(CALL,), threshold="critical"),
        a_definition("c", steps=(HELD,), threshold="escalated", purpose="growth"),
    )
    for number, account in enumerate(("acme", "beta")):
        await scene.cross(f"c-{number}", a_crossing(account))
    await scene.cross("c-2", a_crossing("acme", threshold="critical"))
    troubled = a_snapshot("acme", thresholds=["escalated"])
    await scene.cross("c-3", a_crossing("acme", threshold="escalated", snapshot=troubled))
    await scene.go_on()
    await scene.call(InvalidError("410 gone"))
    scene.clock.advance(DAY)
    await scene.cross("c-4", a_crossing("gamma"))
    await scene.cross("c-5", a_crossing("beta"))
    return scene


class ReadsContract:
    """Subclass it with a fixture `scene` over an empty store."""

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (RunFilter(), ["gamma/a", "acme/a", "acme/b", "acme/c", "beta/a"]),
            (RunFilter(account_id="acme"), ["acme/a", "acme/b", "acme/c"]),
            (RunFilter(account_id="acme", playbook="b"), ["acme/b"]),
            (RunFilter(playbook="a", version=1), ["gamma/a", "acme/a", "beta/a"]),
            (RunFilter(version=2), []),
            (RunFilter(status="failed"), ["acme/b"]),
            (RunFilter(purpose="growth"), ["acme/c"]),
            (RunFilter(step="ask"), ["acme/a", "beta/a"]),
            (RunFilter(step="crm"), []),
            (RunFilter(awaits="approval", account_id="beta"), ["beta/a"]),
            (RunFilter(awaits="hold"), ["acme/c"]),
            (RunFilter(held=True), ["acme/c"]),
            (RunFilter(held=False, account_id="acme"), ["acme/a", "acme/b"]),
            (RunFilter(failed=True), ["acme/b"]),
            (RunFilter(failed=False, account_id="acme"), ["acme/a", "acme/c"]),
            (RunFilter(started_from=START + DAY), ["gamma/a"]),
            (RunFilter(started_to=START + DAY, playbook="a"), ["acme/a", "beta/a"]),
            (RunFilter(crossing_id="c-3"), ["acme/c"]),
            (RunFilter(crossing_id="c-5"), []),
        ],
        ids=named,
    )
    async def test_runs_are_found_by_each_filter(
        self, scene: Scene, wanted: RunFilter, found: list[str]
    ) -> None:
        reads = (await with_all_kinds(scene)).reads
        runs = await reads.runs(wanted, 10, None)
        assert sorted(f"{run.account_id}/{run.playbook}" for run in runs) == sorted(found)
        assert await reads.count(wanted) == len(found)
        assert [(run.started_at, run.id) for run in runs] == sorted(
            ((run.started_at, run.id) for run in runs), reverse=True
        )

    async def test_pages_join_up(self, scene: Scene) -> None:
        reads = (await with_all_kinds(scene)).reads
        whole = await reads.runs(RunFilter(), 10, None)
        paged, after = [], None
        while page := await reads.runs(RunFilter(), 2, after):
            paged += page
            after = (page[-1].started_at, page[-1].id)
        assert paged == whole
        entries = await reads.entries(EntryFilter(), 10, None)
        first = await reads.entries(EntryFilter(), 2, None)
        rest = await reads.entries(EntryFilter(), 10, (first[-1].decided_at, entry_key(first[-1])))
        assert [*first, *rest] == entries
        assert len(entries) == 6

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (EntryFilter(account_id="beta"), ["c-1", "c-5"]),
            (EntryFilter(playbook="b"), ["c-2"]),
            (EntryFilter(outcome="refused"), ["c-5"]),
            (EntryFilter(outcome="held_out"), []),
            (EntryFilter(code="already_active"), ["c-5"]),
            (EntryFilter(since=START + DAY), ["c-4", "c-5"]),
        ],
        ids=named,
    )
    async def test_entries_are_found_by_each_filter(
        self, scene: Scene, wanted: EntryFilter, found: list[str]
    ) -> None:
        reads = (await with_all_kinds(scene)).reads
        assert sorted(each.crossing_id for each in await reads.entries(wanted, 10, None)) == found

    async def test_a_story_has_all_that_is_known(self, scene: Scene) -> None:
        goal = Goal(condition="score > 60.0", within="60d")
        holdout = Holdout(share=0.001)
        await scene.ship(a_definition("a", steps=(BRANCH, ASK), goal=goal, holdout=holdout))
        await scene.cross("c-1")
        await scene.go_on()
        newest = await scene.tell(7, score=50.0)
        pause = Switch(name=EVERYTHING, state="paused", reason="an incident", actor="key:ops", at=START)
        async with scene.transactions.begin() as store:
            await store.switches.throw(pause)
        [run] = await scene.reads.runs(RunFilter(), 10, None)
        story = await scene.reads.run(run.id)
        assert story is not None
        assert (story.run, story.definition.name, story.crossing) == (run, "a", a_crossing())
        assert [(each.step, each.path, each.revision) for each in story.results] == [
            ("by_plan", "pro", 1),
            ("follow_up", None, 1),
        ]
        assert story.trial is not None
        assert (story.trial.arm, story.last_entry, story.pause, story.suspected) == (
            "treated",
            None,
            pause,
            False,
        )
        assert story.snapshots == {1: a_snapshot(), 7: newest}
        assert [(each.title, each.owner) for each in story.tasks.values()] == [("Call them", "maria")]
        assert [(each.step, each.by) for each in story.approvals] == [("ask", ("ana", "ben"))]
        assert [each.detail["step"] for each in story.audited] == ["follow_up", "ask"]
        assert await scene.reads.run("none") is None

    async def test_a_story_knows_who_took_whose_place_and_what_ended_it(self, scene: Scene) -> None:
        low = a_definition("low", purpose="adoption", steps=(WAIT,))
        high = a_definition("high", purpose="adoption", priority=10, threshold="critical", steps=(WAIT,))
        await scene.ship(low, high)
        await scene.cross("c-1")
        scene.clock.advance(DAY)
        await scene.cross("c-2", a_crossing(threshold="critical"))
        winner, loser = await scene.reads.runs(RunFilter(), 10, None)
        won, lost = await scene.reads.run(winner.id), await scene.reads.run(loser.id)
        assert won is not None
        assert lost is not None
        assert (list(won.replaced), won.replaced_by, won.exit_crossing) == ([loser], None, None)
        assert (list(lost.replaced), lost.replaced_by) == ([], winner)
        assert lost.exit_crossing == a_crossing(threshold="critical")

    async def test_a_story_knows_when_the_account_entered_before(self, scene: Scene) -> None:
        await scene.ship(a_definition(steps=(WAIT,)))
        await scene.cross("c-1")
        await scene.cross("c-2", a_crossing(direction="left"))
        scene.clock.advance(DAY)
        await scene.cross("c-3")
        second, _ = await scene.reads.runs(RunFilter(), 10, None)
        story = await scene.reads.run(second.id)
        assert story is not None
        assert story.last_entry == START

    async def test_a_story_knows_whether_a_run_is_taken_alone(self, scene: Scene) -> None:
        await scene.ship(a_definition())
        await scene.cross("c-1")
        [run] = await scene.reads.runs(RunFilter(), 10, None)
        async with scene.transactions.begin() as store:
            await store.hands.suspect([[run.id]])
        story = await scene.reads.run(run.id)
        assert story is not None
        assert story.suspected

    async def test_what_people_did_is_in_the_story(self, scene: Scene) -> None:
        await scene.ship(a_definition(steps=(UNTIL, WAIT)))
        await scene.cross("c-1")
        await scene.go_on()
        [run] = await scene.reads.runs(RunFilter(), 10, None)
        desk = RunDesk(scene.transactions, scene.clock, lambda: None)
        await desk.skip(run.id, Actor("console", "ana"), "they are back")
        await desk.cancel(run.id, Actor("console"), "enough")
        story = await scene.reads.run(run.id)
        assert story is not None
        assert [(each.action, each.actor) for each in story.audited] == [
            ("skipped", "person:ana via key:console"),
            ("cancelled", "key:console"),
        ]
        assert [each.outcome for each in story.results] == ["skipped"]
        assert story.run.status == "cancelled"
