"""Whatever a run of a shipped playbook comes to, its story can be told, in sentences and in the order of time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.clock import START
from tests.unit.playbooks.builders import a_crossing, a_run

from playbooks.adapters.definitions import load_directory
from playbooks.application.reads import RunStory
from playbooks.application.timeline import run_detail
from playbooks.domain.definition import Definition
from playbooks.domain.program import Node, lay_out
from playbooks.domain.run import Outcome, Run, StepResult, cancel_run, exit_run, note_failure
from playbooks.domain.steps import StepKind
from playbooks.settings import SHIPPED

OUTCOMES: dict[StepKind, tuple[Outcome, ...]] = {
    "notify": ("requested", "skipped"),
    "wait": ("waited", "skipped"),
    "wait_until": ("met", "timed_out", "skipped"),
    "branch": ("taken",),
    "task": ("opened", "updated", "skipped"),
    "webhook": ("called", "skipped"),
    "split": ("drawn",),
    "approve": ("approved", "rejected", "expired"),
    "end": ("ended",),
}
SHIPPED_PLAYBOOKS = load_directory(SHIPPED)


@st.composite
def stories(draw: st.DrawFn, definition: Definition) -> RunStory:
    """A walk through the playbook that stops somewhere, in some state."""
    nodes = lay_out(definition).nodes
    run = a_run(playbook=definition.name, step=definition.steps[0].name)
    results: list[StepResult] = []
    for _ in range(draw(st.integers(0, len(nodes)))):
        if run.step is None:
            break
        node = nodes[run.step]
        results.append(_result(draw, node, len(results)))
        path = results[-1].path
        run = replace(run, position=len(results), step=node.ways[path] if path else node.after)
    return RunStory(run=_left(draw, run), definition=definition, crossing=a_crossing(), results=results)


def _result(draw: st.DrawFn, node: Node, position: int) -> StepResult:
    kind, outcome = node.step.kind, draw(st.sampled_from(OUTCOMES[node.step.kind]))
    way = outcome if outcome in node.ways else None
    return StepResult(
        run_id="run-1",
        position=position,
        step=node.step.name,
        kind=kind,
        at=START + timedelta(hours=position),
        outcome=outcome,
        path=draw(st.sampled_from(sorted(node.ways))) if kind in ("branch", "split") else way,
        reason=draw(st.none() | st.sampled_from(["approved by ana: fine.", "because"])),
        until=draw(st.none() | st.just(START)),
        revision=draw(st.none() | st.just(1)),
    )


def _left(draw: st.DrawFn, run: Run) -> Run:
    later = START + timedelta(days=30)
    if run.step is None:
        return replace(
            run, status="completed", due_at=None, ended_at=later, reason=draw(st.none() | st.just("done."))
        )
    states = [
        run,
        replace(run, awaits="time", wake_at=later, due_at=later),
        replace(run, awaits="hold", held="an escalation", held_since=later),
        replace(run, awaits="call", lease_until=later, failures=1, error="nobody came back"),
        note_failure(run, "ValueError: odd", (60.0,), later),
        note_failure(run, "ValueError: odd", (), later),
        exit_run(run, "late", later),
        cancel_run(run, "cancelled by ana", later),
    ]
    return draw(st.sampled_from(states))


@pytest.mark.parametrize("definition", SHIPPED_PLAYBOOKS, ids=lambda each: each.name)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_story_can_be_told(definition: Definition, data: st.DataObject) -> None:
    story = data.draw(stories(definition))
    timeline = run_detail(story).timeline
    assert [each.at for each in timeline] == sorted(each.at for each in timeline)
    assert [each.step for each in timeline if each.what == "step"] == [each.step for each in story.results]
    for each in timeline:
        for sentence in (each.told, *each.because):
            assert sentence[-1] in ".!?"
            assert not sentence.endswith("..")
            assert "None" not in sentence
    assert timeline[-1].what not in ("entered", "step")
