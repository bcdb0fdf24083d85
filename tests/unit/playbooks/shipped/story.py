"""An account whose life is told in pretended time, with all shipped playbooks in force, and what people heard of it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from csm_common.contracts.health import AccountSnapshot, Scorecard
from playbooks.adapters.definitions import load_directory, playbook_of
from playbooks.adapters.memory.sandbox import MemorySandbox, RecordingEndpoints
from playbooks.application.reads import RunFilter, RunStory
from playbooks.application.simulation import PretendedClock, Simulator
from playbooks.application.simulation_account import Direction, SimulatedAccount, State
from playbooks.application.simulation_people import Done, People, Reply
from playbooks.settings import SHIPPED
from playbooks.testing_setting import Setting

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
"""Eleven in the morning where the account is."""

PLAYBOOKS = [playbook_of(1, each) for each in load_directory(SHIPPED)]
_HEARD = ("notify", "task", "approve")


class Diary:
    """A simulator with all shipped playbooks in force, and what came of them."""

    def __init__(self, people: People) -> None:
        self._simulator = Simulator(
            sandbox=MemorySandbox(),
            rules=Setting(at=MONDAY).rules(),
            clock=PretendedClock(MONDAY),
            endpoints=RecordingEndpoints(),
            people=people,
        )
        for playbook in PLAYBOOKS:
            self._simulator.sandbox.install(playbook, active=True)

    async def heard(self, playbook: str | None = None) -> list[str]:
        """What was written, given as work or asked, by local time: `Tue 03 Mar 09:00 tell_owner`."""
        found = [
            (each.at, story.run.playbook, each.position, each.step)
            for story in await self._runs(playbook)
            for each in story.results
            if each.kind in _HEARD
        ]
        return [f"{at.astimezone(BERLIN):%a %d %b %H:%M} {step}" for at, _, _, step in sorted(found)]

    async def ends(self) -> dict[str, str]:
        """How the newest run of each playbook stands."""
        return {story.run.playbook: story.run.status for story in await self._runs(None)}

    async def reason(self, playbook: str) -> str | None:
        """Why the newest run of a playbook ended."""
        return (await self._runs(playbook))[-1].run.reason

    async def _runs(self, playbook: str | None) -> list[RunStory]:
        reads = self._simulator.sandbox.reads
        runs = await reads.runs(RunFilter(playbook=playbook), 100, None)
        return [story for run in reversed(runs) if (story := await reads.run(run.id)) is not None]


class Story(Diary):
    """`done` are the tasks that are completed, by step and after how many days; `said` the answers to approvals, at once.
    Days are counted from MONDAY."""

    def __init__(
        self,
        *,
        score: float | None = 80.0,
        thresholds: tuple[str, ...] = (),
        done: Mapping[str, float] | None = None,
        said: Mapping[str, str] | None = None,
        account: str = "acme",
        **attributes: Any,
    ) -> None:
        known = {"owner": "dana", "segment": "smb", "arr": 20_000.0, "stage": "customer"} | attributes
        self._account = SimulatedAccount(
            AccountSnapshot(
                account_id=account,
                revision=1,
                evaluated_at=MONDAY,
                score=score,
                band="healthy",
                coverage=0.9,
                scorecard=Scorecard(name="default", version=1),
                dimensions={},
                measures={},
                attributes=known | {"timezone": "Europe/Berlin"},
                thresholds=list(thresholds),
            )
        )
        answers = {step: "approved" if each == "yes" else "rejected" for step, each in (said or {}).items()}
        outcomes = {
            step: Done(outcome="done", after=timedelta(days=days)) for step, days in (done or {}).items()
        }
        replies = {step: Reply(said=each) for step, each in answers.items()}  # type: ignore[arg-type]
        super().__init__(People(replies=replies, outcomes=outcomes))

    async def crosses(self, threshold: str, direction: Direction = "entered", *, day: float = 0) -> None:
        """A threshold is crossed on the day."""
        at = await self.until(day)
        await self._simulator.feed(self._account.cross(threshold, direction, at))

    async def becomes(self, *, day: float = 0, **state: Any) -> None:
        """The account is otherwise from the day on."""
        at = await self.until(day)
        await self._simulator.feed(self._account.become(State(**state), at))

    async def until(self, day: float) -> datetime:
        """Time goes by."""
        at = MONDAY + timedelta(days=day)
        await self._simulator.advance(at)
        return at
