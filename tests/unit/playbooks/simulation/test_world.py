"""The world of authors' tests: what happens in it, and how it tells what did not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.playbooks.contracts.simulation_http import TEXT
from tests.unit.playbooks.simulation.texts import EVERY_KIND

from playbooks.adapters.definitions import parse_definition
from playbooks.domain.definition import Definition
from playbooks.testing_setting import START, Setting, find_playbook
from playbooks.testing_world import World

DEFINITION = parse_definition(TEXT, "usage_recovers.yaml")


def a_world(text: str = EVERY_KIND, **setting: object) -> World:
    return World([parse_definition(text, "test")], Setting(**setting))  # type: ignore[arg-type]


def on_its_way(**state: object) -> World:
    """At the task, opened at the renewal."""
    world = a_world()
    attributes = {"owner": "maria", "renewal_date": "2026-05-20"}
    world.account("acme", score=40, attributes=attributes, **state)
    world.cross("at_risk")
    world.advance_to("2026-04-20T07:00")
    return world


def test_waits_end_at_the_instants_they_name() -> None:
    world = on_its_way()
    world.assert_steps("tell", ("pause", "waited"), "renewal", ("work", "opened"))
    assert world.at("pause") == START + timedelta(hours=36)
    assert world.at("renewal") == datetime(2026, 4, 20, 7, tzinfo=UTC)
    [task] = world.tasks
    assert (task.owner, task.due_at.date().isoformat()) == ("ana", "2026-04-23")


def test_what_people_do_decides_the_way() -> None:
    world = on_its_way()
    world.advance("2d")
    world.complete("work", "reached")
    assert world.called == ["crm"]
    assert world.sent == ["told", "offered"]
    world.assert_ended("completed")

    world = on_its_way()
    world.complete("work", "nobody there")
    assert world.asked == ["ask"]
    world.reject("ask", "no budget")
    world.assert_ended("completed", "enough")
    assert world.asked == []


def test_what_nobody_does_runs_out() -> None:
    world = on_its_way()
    world.advance("6d")
    world.assert_steps("tell", "pause", "renewal", "work", ("done", "timed_out"), "give_up")


def test_a_call_that_fails_is_made_again_and_fails_the_run_in_the_end() -> None:
    world = on_its_way()
    world.answers("crm", 503)
    world.complete("work", "reached")
    world.advance("5m")
    world.answers("crm", 200)
    world.advance("2h")
    assert world.called[-1] == "crm"
    world.assert_ended("completed")

    world = on_its_way()
    world.answers("crm", 404)
    world.complete("work", "reached")
    world.assert_ended("failed")


def test_sales_wait_while_an_escalation_is_open() -> None:
    world = on_its_way(thresholds=["escalated"])
    world.complete("work", "reached")
    assert (world.sent, world.run.awaits) == (["told"], "hold")
    world.account("acme", thresholds=[])
    assert world.sent == ["told", "offered"]


def test_exits_end_it() -> None:
    world = on_its_way()
    world.cross("critical")
    world.assert_ended("exited", "critical was entered")
    world = on_its_way()
    world.account("acme", attributes={"stage": "churned"})
    world.advance("6d")
    world.assert_ended("exited", "exit_when")


def test_accounts_are_told_apart_and_the_one_named_last_counts() -> None:
    world = a_world()
    for name in ("acme", "globex"):
        world.account(name, score=40)
        world.cross("at_risk")
    assert world.run.account_id == "globex"
    world.account("acme")
    assert (world.run.account_id, world.sent) == ("acme", ["told"])


def test_a_higher_priority_takes_the_place_of_a_lower_one() -> None:
    urgent = EVERY_KIND.replace("every_kind", "urgent").replace("threshold: at_risk", "threshold: critical")
    texts = [EVERY_KIND + "purpose: care\n", urgent + "purpose: care\npriority: 5\n"]
    world = World([parse_definition(each, "test") for each in texts], Setting())
    world.account("acme", score=40)
    world.cross("at_risk")
    world.cross("critical")
    world.assert_ended("exited")
    assert world.sent == ["told", "told"]


def test_holidays_and_zones_are_those_of_the_setting() -> None:
    text = """
name: morning
title: In the morning
trigger: {threshold: at_risk, direction: entered}
steps: [{name: morning, wait: {time: "09:00", days: working}}]
"""
    world = a_world(text, at=datetime(2026, 4, 2, 12, tzinfo=UTC), zone="Europe/Berlin", holidays="DE")
    world.account("acme")
    world.cross("at_risk")
    world.advance("7d")
    # Good Friday, the weekend, Easter Monday.
    assert world.at("morning") == datetime(2026, 4, 7, 7, tzinfo=UTC)


def test_what_was_expected_and_what_happened_are_told_together() -> None:
    world = on_its_way()
    with pytest.raises(AssertionError) as steps:
        world.assert_steps("tell", ("pause", "met"))
    told = str(steps.value)
    assert "expected the steps tell, pause=met" in told
    assert "but it took tell=requested, pause=waited" in told
    assert "Mon 2026-03-02 09:00  tell             Asked for an email (told)" in told
    with pytest.raises(AssertionError, match="expected it completed, but it is active at done"):
        world.assert_ended()
    with pytest.raises(AssertionError, match="step ask has no question open; there are: none"):
        world.approve("ask")
    with pytest.raises(AssertionError, match="step call has no task to do open; there are: work"):
        world.complete("call")
    with pytest.raises(AssertionError, match="step offer has not ended"):
        world.at("offer")
    with pytest.raises(ValueError, match="is past"):
        world.advance_to("2026-01-01T00:00")


def test_without_a_run_there_is_a_reason() -> None:
    world = World([DEFINITION], Setting())
    world.account("acme", attributes={"stage": "churned"})
    with pytest.raises(AssertionError, match="acme has no run of usage_recovers"):
        _ = world.run
    assert world.entry is None
    world.cross("usage_falling")
    assert world.refused == "audience"
    assert "not entered at Mon 2026-03-02 09:00: audience" in world.timeline()


def test_playbooks_are_found_beside_the_test_and_among_the_shipped(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(TEXT, encoding="utf-8")
    assert find_playbook("mine", tmp_path) == find_playbook("mine.yaml", tmp_path) == DEFINITION
    assert isinstance(find_playbook("account_at_risk", tmp_path), Definition)
    with pytest.raises(FileNotFoundError, match="no playbook nothing"):
        find_playbook("nothing", tmp_path)


LEAPS = st.lists(st.integers(1, 400), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None)
@given(LEAPS, st.integers(0, 400), st.booleans())
def test_a_leap_is_what_its_parts_are(hours: list[int], recovers_after: int, big: bool) -> None:
    """However the clock is moved, every step is taken at its own instant."""

    def played(leaps: list[int]) -> list[tuple[object, ...]]:
        world = World([DEFINITION], Setting())
        world.account("acme", score=40, attributes={"owner": "maria", "arr": 2e5 if big else 1.0})
        world.cross("usage_falling")
        recovers = START + timedelta(hours=recovers_after)
        told = False
        for each in leaps:
            until = world.now + timedelta(hours=each)
            if not told and recovers <= until:
                world.advance_to(recovers)
                world.account("acme", score=80)
                told = True
            world.advance_to(until)
        return [(each.step, each.at, each.outcome, each.path) for each in world.results.values()]

    assert played(hours) == played([sum(hours)])
