"""Who is who: names that belong together, and the account a person is in."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.people import Circle, renamed

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_somebody_new_stands_for_themselves() -> None:
    circle = Circle({})

    assert circle.meet(["kim"], merge=False) == "kim"
    assert circle.account_of("kim") is None
    assert set(circle.changed) == {"kim"}


def test_a_cookie_becomes_the_user_who_logs_in() -> None:
    circle = Circle({})
    circle.meet(["cookie"], merge=False)

    assert circle.meet(["kim", "cookie"], merge=False) == "kim"
    circle.join("kim", "acme", NOON)

    assert circle.account_of("cookie") == "acme"
    assert circle.merged == {"cookie": "kim"}
    assert circle.joined == {"kim"}


def test_a_cookie_stays_with_the_first_who_logged_in() -> None:
    circle = Circle({})
    circle.meet(["kim", "cookie"], merge=False)

    assert circle.meet(["lou", "cookie"], merge=False) == "lou"

    assert circle.meet(["cookie"], merge=False) == "kim"
    assert not circle.merged


def test_an_alias_makes_one_of_two_users() -> None:
    circle = Circle({})
    circle.join(circle.meet(["old", "cookie"], merge=False), "acme", NOON)

    assert circle.meet(["new", "old"], merge=True) == "new"

    assert {name: circle.account_of(name) for name in ("new", "old", "cookie")} == dict.fromkeys(
        ("new", "old", "cookie"), "acme"
    )
    assert circle.meet(["cookie"], merge=False) == "new"


def test_an_alias_told_again_or_the_other_way_round_changes_nothing() -> None:
    circle = Circle({})
    circle.meet(["new", "old"], merge=True)
    circle.changed.clear()

    assert circle.meet(["new", "old"], merge=True) == "new"
    assert circle.meet(["old", "new"], merge=True) == "new"
    assert not circle.changed


def test_the_last_account_holds_in_the_order_of_the_calls_times() -> None:
    circle = Circle({})
    circle.join("kim", "second", NOON)
    circle.join("kim", "first", NOON - timedelta(hours=1))

    assert circle.account_of("kim") == "second"


def test_who_becomes_one_is_in_the_account_that_was_told_last() -> None:
    circle = Circle({})
    circle.join("old", "later", NOON)
    circle.join("new", "earlier", NOON - timedelta(hours=1))

    circle.meet(["new", "old"], merge=True)

    assert circle.account_of("new") == circle.account_of("old") == "later"


def test_chains_of_names_lead_to_one() -> None:
    circle = Circle({})
    for pair in (["b", "a"], ["c", "b"], ["d", "c"]):
        circle.meet(pair, merge=True)

    assert {circle.meet([name], merge=False) for name in "abcd"} == {"d"}
    assert circle.merged == {"b": "d", "c": "d"}


NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
STEPS = st.one_of(
    st.tuples(st.just("meet"), st.lists(NAMES, min_size=1, max_size=3, unique=True), st.booleans()),
    st.tuples(st.just("join"), NAMES, st.tuples(st.sampled_from(["x", "y"]), st.integers(0, 9))),
)


@given(st.lists(STEPS, max_size=30))
def test_all_names_of_a_person_agree_whatever_is_told(steps: list[tuple[str, object, object]]) -> None:
    circle = Circle({})
    for kind, first, second in steps:
        if kind == "meet":
            assert isinstance(first, list)
            circle.meet(first, merge=bool(second))
        else:
            assert isinstance(second, tuple)
            circle.join(str(first), second[0], NOON + timedelta(minutes=second[1]))

    for name, person in circle.persons.items():
        assert circle.persons[person.name] == person, "the name that stands for others stands for itself"
        assert circle.changed[name] == person
    assert all(
        circle.persons[gone].name == circle.persons[stays].name for gone, stays in circle.merged.items()
    )


@given(st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), st.integers(0, 5)), min_size=1, max_size=6))
def test_repeating_all_group_calls_changes_nothing(calls: list[tuple[str, int]]) -> None:
    once, twice = Circle({}), Circle({})
    ordered = sorted(set(calls), key=lambda call: call[1])
    distinct = {minute: account for account, minute in ordered}
    for circle, times in ((once, 1), (twice, 2)):
        for _ in range(times):
            for minute, account in distinct.items():
                circle.join("kim", account, NOON + timedelta(minutes=minute))

    assert once.account_of("kim") == twice.account_of("kim")


def test_only_fields_of_persons_are_renamed() -> None:
    data = {"user_id": "cookie", "feature": "cookie", "respondent_id": "lou"}

    assert renamed(data, ("cookie",), "kim") == {
        "user_id": "kim",
        "feature": "cookie",
        "respondent_id": "lou",
    }
