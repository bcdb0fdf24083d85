"""Scenario files: read with every mistake told, and played."""

from pathlib import Path

import pytest
from tests.unit.playbooks.contracts.simulation_http import FILE, TEXT

from playbooks.testing_scenarios import Scenario, scenarios_of

EXAMPLE = FILE.with_name("usage_recovers.test.yaml")


def written(directory: Path, text: str) -> Path:
    (directory / "mine.yaml").write_text(TEXT.replace("usage_recovers", "mine"), encoding="utf-8")
    file = directory / "mine.test.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def play(directory: Path, text: str) -> None:
    for each in scenarios_of(written(directory, text)):
        each.play(directory)


@pytest.mark.parametrize("scenario", list(scenarios_of(EXAMPLE)), ids=lambda each: each.scenario)
def test_the_example_holds(scenario: Scenario) -> None:
    scenario.play(FILE.parent)


def test_a_file_tests_the_playbook_of_its_name(tmp_path: Path) -> None:
    play(tmp_path, "scenarios: [{scenario: it begins, then: {entered: true, sent: [usage_falling]}}]")


def test_every_kind_of_event_can_happen(tmp_path: Path) -> None:
    play(
        tmp_path,
        """
playbook: mine
scenarios:
  - scenario: everything
    given: {account: globex, score: 40, attributes: {owner: maria, arr: 200000}, zone: Europe/Berlin, holidays: DE}
    when:
      - answers: {crm: 500}
      - cross: usage_falling
      - advance: 17d
      - then: {tasks: [rescue], asked: [ask], status: active, at_step: ask}
      - complete: {step: call, outcome: reached}
    then: {steps: [tell, pause, morning, recovered=timed_out, call, by_size=big]}
""",
    )
    play(
        tmp_path,
        """
scenarios:
  - scenario: answered
    given: {attributes: {arr: 200000}}
    when: [{cross: usage_falling}, {until: 2026-03-19T12:00:00Z}, {approve: ask}]
    then: {called: [crm], status: completed, reason: "", refused: null}
  - scenario: refused
    given: {attributes: {arr: 200000}}
    when: [{cross: usage_falling}, {advance: 17d}, {reject: ask}]
    then: {called: [], status: completed}
  - scenario: it leaves
    when: [{cross: usage_falling}, {become: {score: 20}}, {leave: usage_falling}]
    then: {status: exited, reason: usage_falling was left}
""",
    )


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("{sent: []}", r"expected sent \[\], but it is \['usage_falling'\]"),
        ("{steps: [tell=skipped]}", "expected the steps tell=skipped"),
        ("{entered: false}", "expected entered False, but it is True"),
        ("{status: exited}", "expected it exited, but it is completed"),
        ("{status: active}", "expected status active"),
        ("{reason: never}", "expected it completed: never"),
        ("{tasks: []}", r"expected tasks \[\], but it is \['rescue'\]"),
    ],
)
def test_what_does_not_come_is_told_with_all_that_did(tmp_path: Path, then: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told) as failed:
        play(tmp_path, f"scenarios: [{{scenario: fails, then: {then}}}]")
    assert "run of mine: completed" in str(failed.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("scenarios: [", "is not YAML"),
        ("scenarios: []", "scenarios: List should have at least 1 item"),
        ("scenarios: [{scenario: x, when: [{advance: soon}]}]", "scenarios.0.when.0.advance"),
        ("scenarios: [{scenario: x, then: {send: []}}]", "scenarios.0.then.send"),
    ],
)
def test_mistakes_are_told_with_their_places(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        list(scenarios_of(written(tmp_path, text)))


@pytest.mark.parametrize("event", ["{}", "{cross: a, leave: b}"])
def test_an_event_is_one_thing(tmp_path: Path, event: str) -> None:
    with pytest.raises(ValueError, match="exactly one of cross, leave, become"):
        play(tmp_path, f"scenarios: [{{scenario: x, when: [{event}]}}]")
