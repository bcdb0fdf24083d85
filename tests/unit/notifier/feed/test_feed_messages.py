"""What subscribers are sent, in words and in numbers, and that the documented examples look the same."""

from dataclasses import replace

import msgspec
import pytest
from tests.unit.notifier.feed.builders import a_crossing, a_snapshot

from csm_common.contracts.health import Cause
from notifier.application.feed_desk import Rotated, Tried
from notifier.application.feed_messages import change_data, crossing_data
from notifier.application.feed_ports import DeliveryDetail, DeliveryView, Known, SubscriptionView, Wants
from notifier.entrypoints import subscriptions_examples as examples
from notifier.entrypoints.subscriptions_bodies import NewSubscription

KNOWN = Known(1, 60.0, "neutral", "default/1", b'{"logins": 60.0, "tickets": 70.0, "nps": 50.0}')


def test_a_change_of_score_tells_what_the_subscriber_knew() -> None:
    data = change_data("health.score_changed", a_snapshot(2, 42.0), KNOWN, 65.0, Wants())
    assert data["score"] == {"before": 65.0, "after": 42.0}
    assert data["band"] == {"before": "neutral", "after": "at_risk"}
    assert data["reason"].startswith(
        "The score fell by 23 points, from 65 to 42; what moved most: nps 50 → none"
    )


def test_parts_that_moved_most_come_first() -> None:
    data = change_data("health.band_changed", a_snapshot(2, 42.0), KNOWN, 65.0, Wants())
    assert [each["measure"] for each in data["parts"]] == ["nps", "logins"]
    assert data["score"] == {"before": 60.0, "after": 42.0}
    assert "from neutral to at_risk at a score of 42" in data["reason"]


def test_a_first_score_has_nothing_before_it() -> None:
    data = change_data("health.score_changed", a_snapshot(), None, None, Wants())
    assert data["score"] == {"before": None, "after": 60.0}
    assert data["reason"].startswith("The account has a score now: 60")


def test_a_score_that_is_gone_is_told() -> None:
    data = change_data("health.score_changed", a_snapshot(2, None), KNOWN, 60.0, Wants())
    assert data["reason"].startswith("The account has no score any more")


def test_attributes_are_those_that_were_chosen() -> None:
    data = change_data("health.score_changed", a_snapshot(), None, None, Wants(attributes=("arr", "region")))
    assert data["attributes"] == {"arr": 120_000, "region": None}


@pytest.mark.parametrize("kind", ["facts", "timer", "model", "source"])
def test_a_crossing_tells_its_threshold_and_cause(kind: str) -> None:
    data = crossing_data(a_crossing(cause=Cause(kind=kind)), Wants())  # type: ignore[arg-type]
    assert data["threshold"]["name"] == "at_risk"
    assert data["cause"] == kind
    assert data["score"] == {"before": 60.0, "after": 42.0}
    assert data["reason"].startswith("The account entered at_risk by ")


def test_a_crossing_of_something_else_does_not_tell_the_score_before() -> None:
    data = crossing_data(a_crossing(target="measure:logins", before=3.0), Wants())
    assert data["score"]["before"] is None


@pytest.mark.parametrize("type_", list(examples.MESSAGES))
def test_messages_are_documented_as_they_are(type_: str) -> None:
    if type_ == "health.threshold_crossed":
        data = crossing_data(a_crossing(), Wants())
    else:
        data = change_data(type_, a_snapshot(2, 42.0), KNOWN, 65.0, Wants())  # type: ignore[arg-type]
    assert examples.MESSAGES[type_]["data"].keys() == data.keys()


def test_documented_answers_and_requests_have_their_shapes() -> None:
    msgspec.convert(examples.SUBSCRIPTION, SubscriptionView)
    msgspec.convert(examples.DELIVERY, DeliveryView)
    msgspec.convert(examples.DETAIL, DeliveryDetail)
    msgspec.convert(examples.TRIED, Tried)
    msgspec.convert(examples.ROTATED, Rotated)
    assert NewSubscription.model_validate(examples.NEW).wants().filters.min_change == 5.0


def test_an_unknown_band_is_none() -> None:
    data = change_data(
        "health.band_changed", replace(a_snapshot(), band=None, score=None), KNOWN, None, Wants()
    )
    assert "from neutral to none" in data["reason"]
