"""What a template gets to see."""

from datetime import date
from typing import Any

import pytest
from tests.support.clock import START
from tests.unit.notifier.builders import CONTEXT, a_notification

from notifier.domain.briefing import Part, brief


def briefed(**context: Any) -> dict[str, Any]:
    return brief(a_notification(context=context), START)


def test_a_whole_context_is_read_as_it_is_meant() -> None:
    told = brief(a_notification(), START)
    assert told["account"]["name"] == "Acme"
    assert told["account"]["renewal_date"] == date(2026, 4, 14)
    assert (told["score"], told["score_before"]) == (44.4, 63.2)
    assert told["value"] == 44.4
    assert (told["band"], told["band_before"]) == ("at_risk", "neutral")
    assert told["renewal_in_days"] == 43
    assert told["playbook"] == {"name": "account_at_risk", "title": "An account has become at risk"}
    assert told["crossing"] == CONTEXT["crossing"]


def test_an_empty_context_has_every_field_a_template_counts_on() -> None:
    told = briefed()
    assert told["account"]["name"] == "acme"
    assert told["parts"] == []
    for name in ("score", "score_before", "value", "band", "band_before", "coverage", "renewal_in_days"):
        assert told[name] is None
    for name in ("plan", "segment", "owner", "currency", "arr", "renewal_date"):
        assert told["account"][name] is None
    assert told["playbook"] == {"name": "account_at_risk", "title": None}


@pytest.mark.parametrize("junk", [None, 7, "text", [1], {"x": 1}, True, ""])
def test_a_strange_context_yields_less_but_no_error(junk: Any) -> None:
    told = briefed(
        account={"name": junk, "arr": junk, "renewal_date": junk, "plan": junk},
        score=junk,
        band=junk,
        crossing={"before": junk, "after": junk, "parts": junk},
        playbook=junk,
    )
    assert isinstance(told["account"]["name"], str)
    assert told["account"]["renewal_date"] is None
    assert told["parts"] == []
    assert briefed(account=junk, crossing=junk)["account"]["name"] == "acme"


def test_the_parts_that_moved_come_with_the_greatest_loss_first() -> None:
    parts = [
        {"measure": "rose", "before": 1, "after": 9},
        {"measure": "hardly_moved", "before": 4.2, "after": 4.3},
        {"measure": "fell", "before": 9, "after": 8},
        {"measure": "appeared", "before": None, "after": 3},
        {"measure": "fell_most", "before": 20, "after": 5},
        {"measure": 7},
        "no part",
    ]
    told = briefed(crossing={"parts": parts})["parts"]
    assert [each.measure for each in told] == ["fell_most", "fell", "appeared", "rose"]
    assert told[0].change == -15
    assert Part("appeared", None, 3.0).change is None


def test_the_score_before_is_told_only_where_the_score_crossed() -> None:
    assert briefed(score=40, crossing={"before": 60, "after": 40})["score_before"] == 60
    assert briefed(score=40, crossing={"before": 9, "after": 2})["score_before"] is None
    assert briefed(crossing={"before": 9, "after": None})["score_before"] is None


def test_a_renewal_may_be_a_moment_and_may_be_past() -> None:
    assert briefed(account={"renewal_date": "2026-03-01T23:00:00Z"})["renewal_in_days"] == -1


def test_the_trend_and_the_links_are_told() -> None:
    told = brief(a_notification(), START, [{"at": START, "score": 3.0}], "https://x/u", "https://x/p")
    assert told["trend"] == [{"at": START, "score": 3.0}]
    assert (told["unsubscribe_url"], told["preferences_url"]) == ("https://x/u", "https://x/p")
    assert briefed()["trend"] == []


def test_the_items_of_a_digest_are_read_as_they_are_meant() -> None:
    known = {
        "account": "Acme",
        "template": "check_in",
        "message_class": "internal",
        "playbook_title": "Title",
    }
    first, second = briefed(items=[known, {"account": 7}, "none"])["items"]
    assert (first["account"], first["title"], first["internal"]) == ("Acme", "Title", True)
    assert (second["account"], second["title"], second["internal"]) == (None, None, False)
