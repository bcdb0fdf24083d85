"""Which steps a condition can speak of: those that a run can have taken by then."""

from tests.unit.playbooks.builders import TASK, a_definition

from playbooks.domain.definition import ExitWhen, Goal
from playbooks.domain.scopes import ACCOUNT, placed_conditions, unreachable_steps
from playbooks.domain.steps import Approve, Branch, Case, End, Path, Split, Step, WaitUntil


def a_wait(name: str) -> Step:
    return Step(name=name, wait="1d")


def a_look(name: str, otherwise: tuple[Step, ...] = ()) -> Step:
    """A step with a condition."""
    return Step(name=name, wait_until=WaitUntil(condition="true", timeout="1d", otherwise=otherwise))


def before(*steps: Step) -> dict[str, set[str]]:
    """By each step that waits for a condition, those that can have come before it."""
    definition = a_definition(steps=steps)
    names = {place: step.name for step, place in definition.all_steps()}
    found = [each for each in placed_conditions(definition) if each.place[0] == "steps"]
    return {
        names[each.place[:-2]]: set(each.scope.before or ()) for each in found if each.place[:-2] in names
    }


def test_audience_and_goal_know_the_account_alone_and_exits_every_step() -> None:
    definition = a_definition(
        audience="score < 1",
        goal=Goal(condition="score > 1", within="1d"),
        exit_when=ExitWhen(condition="score > 2"),
    )
    audience, goal, exits = placed_conditions(definition)
    assert (audience.scope, goal.scope) == (ACCOUNT, ACCOUNT)
    assert exits.scope.before == frozenset({"tell", "wait", "follow_up"})


def test_steps_before_in_a_row_and_not_the_step_itself() -> None:
    assert before(a_wait("a"), a_look("b"), a_look("c")) == {"b": {"a"}, "c": {"a", "b"}}


def test_a_way_knows_nothing_of_its_sisters_and_what_comes_after_knows_all() -> None:
    ways = Split(
        paths=(
            Path(name="x", steps=(a_wait("a"), a_look("in_x"))),
            Path(name="y", steps=(a_look("in_y"), a_wait("b"))),
        )
    )
    assert before(Step(name="s", split=ways), a_look("after")) == {
        "in_x": {"s", "a"},
        "in_y": {"s"},
        "after": {"s", "a", "b", "in_x", "in_y"},
    }


def test_what_follows_a_no_is_never_before_what_follows_a_yes() -> None:
    approve = Step(name="ask", approve=Approve(title="May we?", rejected=(a_wait("no"), a_look("in_no"))))
    assert before(approve, a_look("yes")) == {"in_no": {"ask", "no"}, "yes": {"ask"}}


def test_a_way_that_ends_the_run_comes_before_nothing() -> None:
    over = Step(name="over", end=End(reason="over"))
    branch = Branch(cases=(Case(name="x", when="true", steps=(a_wait("a"), over)),), otherwise=(a_wait("b"),))
    assert before(Step(name="s", branch=branch), a_look("after"))["after"] == {"s", "b"}


def test_steps_behind_an_end_are_unreachable() -> None:
    over = Step(name="over", end=End(reason="over"))
    both = Branch(
        cases=(Case(name="x", when="true", steps=(over,)),),
        otherwise=(Step(name="too", end=End(reason="x")),),
    )
    assert list(unreachable_steps(a_definition(steps=(over, TASK)))) == [("follow_up", ("steps", 1))]
    definition = a_definition(steps=(Step(name="s", branch=both), TASK))
    assert list(unreachable_steps(definition)) == [("follow_up", ("steps", 1))]
    late = a_look("w", (Step(name="end", end=End(reason="x")),))
    assert list(unreachable_steps(a_definition(steps=(late, TASK)))) == []
