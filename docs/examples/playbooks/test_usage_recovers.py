"""An author's tests of a playbook; `csm test docs/examples/playbooks` runs them with the scenarios beside."""

from datetime import UTC, datetime

from playbooks.testing import Playbook


def test_the_owner_is_told_at_once_and_called_upon_two_weeks_later(playbook: Playbook) -> None:
    world = playbook("usage_recovers.yaml")
    world.account("acme", score=40, attributes={"owner": "maria"})
    world.cross("usage_falling")
    assert world.sent == ["usage_falling"]
    world.advance("20d")
    world.assert_steps(
        "tell", "pause", "morning", ("recovered", "timed_out"), "call", ("by_size", "otherwise")
    )
    [task] = world.tasks
    assert (task.owner, task.type) == ("maria", "rescue")
    world.assert_ended("completed")


def test_mornings_are_those_of_the_account(playbook: Playbook) -> None:
    world = playbook("usage_recovers.yaml", at=datetime(2026, 3, 5, 9, tzinfo=UTC))
    world.account("acme", score=40, attributes={"timezone": "America/New_York"})
    world.cross("usage_falling")
    world.advance("5d")
    # Thursday and two days are a Saturday; Monday's nine o'clock comes after the clocks there have changed.
    assert world.at("morning") == datetime(2026, 3, 9, 13, tzinfo=UTC)


def test_a_threshold_crossed_back_ends_it(playbook: Playbook) -> None:
    world = playbook("usage_recovers.yaml")
    world.account("acme", score=40)
    world.cross("usage_falling")
    world.advance("1d")
    world.leave("usage_falling")
    world.assert_ended("exited", reason="usage_falling was left")


def test_an_account_enters_once_in_thirty_days(playbook: Playbook) -> None:
    world = playbook("usage_recovers.yaml")
    world.account("acme", score=40)
    for _ in range(2):
        world.cross("usage_falling")
        world.leave("usage_falling")
        world.advance("7d")
    assert world.refused == "once_per"
    assert world.sent == ["usage_falling"]
