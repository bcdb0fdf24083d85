"""The use cases of scorecards on a store in memory."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.clock import START, ManualClock
from tests.support.health_score_scorecards import MemoryScorecards, StoreContract, activated

from csm_common.errors import ConflictError, NotFoundError
from health_score.adapters.conditions import compile_condition
from health_score.application.read_card import card_reader, shipped_cards
from health_score.application.scorecard_history import before, spans
from health_score.application.scorecard_places import Mistake
from health_score.application.scorecard_views import Changed, Created, Order
from health_score.application.scorecards import Scorecards

CARD = """\
name: default
{head}
bands: {{low: 0, high: 50}}
dimensions:
  all:
    weight: 1
    measures:
      silence: {{weight: 1, signal: {{kind: recency, type: a}}, curve: {{0: 100, {days}: 0}}}}
"""
SMB = CARD.format(head='applies_to: account.segment == "smb"\npriority: 3', days=9).replace("default", "smb")
ANA = Order("ana", "why not")


class TestMemory(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryScorecards:
        return MemoryScorecards()


class Desk:
    """Scorecards over a store in which the shipped default is in force."""

    def __init__(self) -> None:
        self.store, self.clock = MemoryScorecards(), ManualClock()
        self.store.kept = [each for each in shipped_cards(START) if each.name == "default"]
        self.store.told = [replace(activated("default", 1), number=1)]
        self.use = Scorecards(self.store, card_reader(compile_condition), compile_condition, self.clock)

    async def create(self, document: str) -> int:
        """The number of the version."""
        return (await self.use.create(document, ANA)).version


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_versions_are_numbered_and_remember_who_and_why(desk: Desk) -> None:
    desk.clock.advance(timedelta(hours=1))
    assert await desk.use.create(CARD.format(head="", days=9), ANA) == Created("default", 2, True)
    assert await desk.use.create(CARD.format(head="", days=9), ANA) == Created("default", 2, False)
    assert await desk.use.create(CARD.format(head="version: 3", days=8), ANA) == Created("default", 3, True)
    assert await desk.use.create(CARD.format(head="version: 3", days=8), ANA) == Created("default", 3, False)
    assert await desk.use.create(CARD.format(head="", days=9), ANA) == Created("default", 4, True)
    found = (await desk.use.versions("default"))[1]
    assert (found.author, found.note, found.created_at) == ("ana", "why not", START + timedelta(hours=1))
    for head in ("version: 3", "version: 6"):
        with pytest.raises(ConflictError, match=r"5"):
            await desk.use.create(CARD.format(head=head, days=7), ANA)


async def test_activating_counts_whom_it_concerns(desk: Desk) -> None:
    desk.store.accounts = {f"a{n:04}": {"segment": "smb"} if n % 3 else {} for n in range(1_200)}
    await desk.create(SMB)
    assert await desk.use.activate("smb", 1, ANA) == Changed(2, "smb", 1, True, 800)
    assert await desk.use.activate("smb", 1, ANA) == Changed(2, "smb", 1, False, 0)
    assert [each.name for each in await desk.use.overview()] == ["smb", "default"]
    await desk.create(CARD.format(head="title: New", days=3))
    assert (await desk.use.activate("default", 2, ANA)).accounts == 400
    assert (await desk.use.retire("smb", ANA)).accounts == 800
    last = (await desk.use.overview())[-1]
    assert (last.name, last.active_version, last.active_since, last.newest_version) == ("smb", None, None, 1)


async def test_what_is_in_force_is_shown_and_not_what_is_newest(desk: Desk) -> None:
    await desk.create(CARD.format(head="title: New\npriority: 7", days=3))
    [shown] = await desk.use.overview()
    assert (shown.title, shown.priority, shown.active_version, shown.newest_version) == (
        "Every customer",
        0,
        1,
        2,
    )


async def test_the_last_card_for_everybody_stays(desk: Desk) -> None:
    await desk.create(SMB)
    await desk.use.activate("smb", 1, ANA)
    with pytest.raises(ConflictError, match="must apply to every account"):
        await desk.use.retire("default", ANA)
    assert len(desk.store.told) == 2


async def test_what_is_not_there_is_told_so(desk: Desk) -> None:
    for doing in (
        desk.use.versions("gone"),
        desk.use.version("default", 2),
        desk.use.difference("gone", 1, 1),
        desk.use.activate("gone", 1, ANA),
        desk.use.activate("default", 2, ANA),
    ):
        with pytest.raises(NotFoundError):
            await doing
    with pytest.raises(ConflictError, match="activate one by its number"):
        await desk.use.roll_back("default", ANA)


async def test_progress_is_that_of_the_newest_change(desk: Desk) -> None:
    found = await desk.use.progress()
    assert (found.number, found.name, found.version, found.done) == (1, "default", 1, True)


def test_validating_tells_mistakes_and_nothing_of_what_is_right(desk: Desk) -> None:
    assert desk.use.mistakes(SMB) == ()
    assert list(desk.use.mistakes(SMB.replace("name: smb", "name: schema"))) == [
        Mistake("/name", 1, 7, "the name schema is taken: choose another")
    ]


@pytest.mark.parametrize(
    ("versions", "target"),
    [
        ([1], None),
        ([1, 2], 1),
        ([1, 2, 3, 2], 1),
        ([1, 2, 3, 2, 1], None),
        ([1, 2, 1, 3], 1),
        ([1, None, 2], None),
        ([1, 2, None], None),
        ([], None),
    ],
)
def test_going_back_does_not_go_forth_again(versions: list[int | None], target: int | None) -> None:
    changes = [activated("a", each) for each in versions]
    assert before([activated("b", 7), *changes, activated("b", 8)], "a") == target


def test_a_version_is_in_force_until_another_is_or_none() -> None:
    times = [START + timedelta(days=day) for day in range(4)]
    told = [
        activated("a", 1, times[0]),
        activated("b", 1, times[1]),
        activated("a", 2, times[2]),
        activated("a", None, times[3]),
    ]
    assert [(each.version, each.since, each.until) for each in spans(told, "a")] == [
        (1, times[0], times[2]),
        (2, times[2], times[3]),
    ]
    assert spans(told, "b")[0].until is None
