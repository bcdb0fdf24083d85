"""A pytest plugin for authors of playbooks: the fixture `playbook`, and scenario files `*.test.yaml` as tests.

    def test_nobody_reacts(playbook):
        world = playbook("usage_falling")
        world.account("acme", score=40, attributes={"owner": "maria"})
        world.cross("usage_falling")
        world.advance("2d")
        assert world.sent == ["usage_falling"]

`csm test DIRECTORY` loads it; elsewhere `pytest -p playbooks.testing`, or name it in `pytest_plugins` of a conftest.py.
"""

from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from csm_common.errors import CsmError
from playbooks.testing_scenarios import Scenario, scenarios_of
from playbooks.testing_setting import START, Setting, find_playbook
from playbooks.testing_world import World

__all__ = ["Playbook", "World", "playbook"]

_WORLDS = pytest.StashKey[list[World]]()

Playbook = Callable[..., World]


@pytest.fixture
def playbook(request: pytest.FixtureRequest) -> Playbook:
    """Makes worlds: `playbook("usage_falling.yaml")`, with further playbooks in force after the first; `at` is when it begins (a
    Monday morning where nothing is said), `zone` where its accounts are, `holidays` whose public holidays count (DE, DE-BY)."""
    beside = request.path.parent
    worlds: list[World] = []
    request.node.stash[_WORLDS] = worlds

    def make(
        *names: str | Path, at: datetime = START, zone: str = "UTC", holidays: str | None = None
    ) -> World:
        definitions = [find_playbook(name, beside) for name in names]
        world = World(definitions, Setting(at=at, zone=zone, holidays=holidays))
        worlds.append(world)
        return world

    return make


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what happened in its worlds."""
    report = yield
    if report.failed:
        for world in item.stash.get(_WORLDS, []):
            report.sections.append(("what happened", world.timeline()))
    return report


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Scenario files are tests, too."""
    if not file_path.name.endswith((".test.yaml", ".test.yml")):
        return None
    collector: pytest.Collector = ScenarioFile.from_parent(parent, path=file_path)
    return collector


class ScenarioFile(pytest.File):
    """A file of scenarios."""

    def collect(self) -> Iterator[pytest.Item]:
        """Each of them by its name."""
        try:
            scenarios = list(scenarios_of(self.path))
        except ValueError as mistaken:
            raise self.CollectError(str(mistaken)) from mistaken
        for scenario in scenarios:
            yield ScenarioItem.from_parent(self, name=scenario.scenario, scenario=scenario)


class ScenarioItem(pytest.Item):
    """One scenario."""

    def __init__(self, *, scenario: Scenario, **members: Any) -> None:
        super().__init__(**members)
        self._scenario = scenario

    def runtest(self) -> None:
        """Play it."""
        self._scenario.play(self.path.parent)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """A scenario has no code to show: what was expected, and what happened."""
        if isinstance(excinfo.value, AssertionError | ValueError | FileNotFoundError | CsmError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """How it is called."""
        return self.path, None, self.name
