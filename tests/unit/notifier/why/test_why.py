"""The chain behind a message: every link that is known, in data and in words, and no word too many where it is not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.clock import START
from tests.unit.notifier.why.chains import CROSSING, KIM, OLD, REASONS, SENT, a_message

from notifier.domain.notification import Status
from notifier.domain.reasons import Crossing, Fact, Measure, Reasons, Step
from notifier.domain.why import Chosen, Ruled, explain
from notifier.domain.why_words import with_words


def test_a_message_is_explained_back_to_the_events() -> None:
    assert with_words(explain(a_message(), KIM, [SENT], REASONS)).words == [
        "Kim Park got this email about Acme on 2 March 2026, 09:00 UTC, because the playbook “An account has become at risk”"
        " (account_at_risk version 4) asked for it at its step tell_owner on 2 March 2026, 09:00 UTC.",
        "Chosen as owner: the account names contact kim as its owner.",
        "On 2 March 2026, 09:00 UTC the contact policy let it go: nothing speaks against it.",
        "Before that it had taken by_size (taken: large) and pause (waited).",
        "Its run run-1 began on 2 March 2026, 07:00 UTC: at_risk was entered: score went from 63.25 to 44.4, the level is 50.",
        "It was crossed on 2 March 2026, 07:00 UTC, judged by the scorecard default 3.",
        "The band went from neutral to at risk.",
        "What moved, in points of the score: open tickets (−10.9, 14.1 to 3.2) and usage recency (−8, 30 to 22).",
        "It came of csm.ticket.changed of 2 March 2026, 07:00 UTC (zd-881) and csm.ticket.changed of 2 March 2026, 06:59 UTC"
        " (zd-882).",
    ]


def test_the_same_is_there_as_data() -> None:
    why = explain(a_message(), KIM, [SENT], REASONS)
    assert why.run is not None
    assert (why.run.id, why.run.version, why.run.entered) == ("run-1", 4, REASONS.entered)
    assert [each.step for each in why.steps_before] == ["by_size", "pause"]
    assert [(each.measure, each.change) for each in why.measures] == [
        ("open_tickets", pytest.approx(-10.9)),
        ("usage_recency", -8.0),
    ]
    assert [(each.id, each.type) for each in why.facts] == [
        ("zd-881", "csm.ticket.changed"),
        ("zd-882", "csm.ticket.changed"),
    ]
    assert [each.path for each in why.links] == [
        "/v1/runs/run-1",
        "/v1/accounts/acme/health/explain?at=2026-03-02T07%3A00%3A00%2B00%3A00",
    ]


def test_a_crossing_that_the_run_has_not_told_is_told_in_full() -> None:
    words = with_words(explain(a_message(), KIM, [], replace(REASONS, entered=None))).words
    assert (
        "On 2 March 2026, 07:00 UTC at_risk was entered: score went from 63.25 to 44.4, the level is 50, judged by the"
        " scorecard default 3."
    ) in words


def test_of_an_old_message_the_ids_are_told() -> None:
    why = with_words(explain(a_message(status=Status.PENDING), KIM, [], OLD))
    assert why.words[-4:] == [
        "The playbook account_at_risk version 4 asked for it at its step tell_owner on 2 March 2026, 09:00 UTC.",
        "Its run is run-1.",
        "The run began at crossing crossing-1, of which nothing more is known here.",
        "Behind it: zd-881 and zd-882.",
    ]
    assert why.facts == [Fact(id="zd-881"), Fact(id="zd-882")]
    assert [each.service for each in why.links] == ["playbooks"]


def test_of_an_erased_message_it_is_said_that_it_was_erased() -> None:
    message = a_message(status=Status.CANCELLED, reason="erased", account=None)
    words = with_words(explain(message, None, [], OLD, erased=True)).words
    assert words[:2] == [
        "This email about acme was cancelled: erased.",
        "What was said in it, and why, has been erased; the ids of what led to it are left.",
    ]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (Status.FAILED, "could not be delivered: 550 no such user."),
        (Status.UNDELIVERABLE, "could be delivered to nobody: 550 no such user."),
        (Status.UNKNOWN, "may have gone out or not: 550 no such user."),
        (Status.HELD, "is held back until 2 March 2026, 10:00 UTC: 550 no such user."),
    ],
)
def test_a_message_that_did_not_go_says_what_became_of_it(status: Status, told: str) -> None:
    message = a_message(status=status, reason="550 no such user", next_attempt_at=START + timedelta(hours=1))
    [first, *_] = with_words(explain(message, KIM, [], OLD)).words
    assert first == f"This email about Acme for Kim Park {told}"


@pytest.mark.parametrize("status", Status)
def test_every_status_has_words(status: Status) -> None:
    assert with_words(explain(a_message(status=status), KIM, [], OLD)).words[0]


@pytest.mark.parametrize(
    ("word", "told"), [("send", "the contact policy let it go."), ("replay", "it was replayed.")]
)
def test_an_erased_reason_is_left_out(word: str, told: str) -> None:
    words = with_words(explain(a_message(), KIM, [replace(SENT, word=word, reason="erased")], OLD)).words
    assert words[2] == f"On 2 March 2026, 09:00 UTC {told}"


def test_nobody_to_reach_is_told_with_the_reason() -> None:
    nobody = Chosen(
        kind=None, contact_id=None, name=None, why="role admin: no active contact with an address"
    )
    words = with_words(explain(a_message(status=Status.UNDELIVERABLE), nobody, [], OLD)).words
    assert words[1] == "Nobody could be reached, because of role admin: no active contact with an address."


def test_every_word_of_the_contact_policy_is_told() -> None:
    later = START + timedelta(hours=9)
    held = Ruled(at=START, word="hold", rule="quiet_hours", reason="it is night in Berlin", until=later)
    words = with_words(explain(a_message(), KIM, [held, replace(SENT, at=later)], OLD)).words
    assert words[2:4] == [
        "On 2 March 2026, 09:00 UTC the contact policy held it back until 2 March 2026, 18:00 UTC: it is night in Berlin.",
        "On 2 March 2026, 18:00 UTC the contact policy let it go: nothing speaks against it.",
    ]


def test_a_replay_is_told_with_who_wanted_it() -> None:
    again = Ruled(
        at=START, word="replay", rule="operator", reason="sent anew by key:console: the server is back"
    )
    words = with_words(explain(a_message(), KIM, [again], OLD)).words
    assert (
        words[2]
        == "On 2 March 2026, 09:00 UTC it was replayed: sent anew by key:console: the server is back."
    )


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        ("timer", "It came of the passing of time: no new event was needed."),
        ("model", "It came of a change of the scorecard, for which outreach was asked."),
        ("source", "It came of a source that feeds all accounts."),
    ],
)
def test_a_crossing_without_events_says_its_cause(cause: str, told: str) -> None:
    reasons = replace(REASONS, fact_ids=[], crossing=replace(CROSSING, cause=cause, facts=()))
    assert with_words(explain(a_message(), KIM, [], reasons)).words[-1] == told


def test_a_digest_explains_each_of_its_messages() -> None:
    items = [
        explain(a_message(id=f"n-{n}", status=Status.FOLDED, folded_into="d-1"), KIM, [], REASONS)
        for n in (1, 2)
    ]
    digest = with_words(explain(a_message(id="d-1", kind="digest"), KIM, [SENT], REASONS, items=items))
    assert digest.run is None
    assert (
        digest.words[0]
        == "Kim Park got this email, a digest of several messages, on 2 March 2026, 09:00 UTC."
    )
    assert digest.words[3] == "1. This email about Acme is told together with others, in the digest d-1."
    assert len([each for each in digest.words if each.startswith("2. ")]) == len(digest.items[1].words)


def test_a_trial_of_a_template_has_no_run() -> None:
    why = with_words(explain(a_message(kind="test"), KIM, [SENT], Reasons()))
    assert why.run is None
    assert why.words[0].startswith("Kim Park got this email, a trial of the template account_at_risk,")


NUMBERS = st.none() | st.floats(-1e6, 1e6)
TEXTS = st.text(min_size=1, max_size=8)
TIMES = st.datetimes(timezones=st.just(START.tzinfo))
ANY_REASONS = st.builds(
    Reasons,
    run_id=st.none() | TEXTS,
    step=st.none() | TEXTS,
    playbook=st.none() | TEXTS,
    crossing_id=st.none() | TEXTS,
    fact_ids=st.lists(TEXTS, max_size=3),
    playbook_title=st.none() | TEXTS,
    run_started_at=st.none() | TIMES,
    entered=st.none() | TEXTS,
    steps=st.lists(
        st.builds(Step, step=TEXTS, kind=TEXTS, outcome=TEXTS, at=TIMES, path=st.none() | TEXTS), max_size=2
    ),
    crossing=st.none()
    | st.builds(
        Crossing,
        id=TEXTS,
        threshold=TEXTS,
        direction=TEXTS,
        target=TEXTS,
        level=st.floats(-1e6, 1e6),
        before=NUMBERS,
        after=NUMBERS,
        occurred_at=TIMES,
        cause=TEXTS,
        band_before=st.none() | TEXTS,
        band_after=st.none() | TEXTS,
        parts=st.lists(st.builds(Measure, measure=TEXTS, before=NUMBERS, after=NUMBERS), max_size=7),
        facts=st.lists(
            st.builds(Fact, id=TEXTS, type=st.none() | TEXTS, occurred_at=st.none() | TIMES), max_size=3
        ),
    ),
)


@given(ANY_REASONS, st.sampled_from(Status), st.booleans())
def test_whatever_is_known_can_be_told(reasons: Reasons, status: Status, erased: bool) -> None:
    why = with_words(explain(a_message(status=status), None, [SENT], reasons, erased=erased))
    assert all(why.words)
    assert [each.id for each in why.facts] == list(
        reasons.fact_ids
        or dict.fromkeys(each.id for each in (reasons.crossing.facts if reasons.crossing else ()))
    )
