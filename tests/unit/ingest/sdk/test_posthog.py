"""PostHog's events are read as the calls that they are in Segment's words."""

from typing import Any

import pytest
from tests.unit.ingest.sdk.samples import POSTHOG, capture, fact, received, refused, rules, understood

from ingest.application.incoming import Incoming
from ingest.application.sdk.posthog import PosthogReader

IN_ACME = {"$groups": {"company": "acme"}}


def test_an_event_is_use_of_a_feature_without_the_sdks_own_properties() -> None:
    found = understood(capture("report exported", {"rows": 12, "$set": {"email": "x"}} | IN_ACME), POSTHOG)
    (draft,) = found.drafts
    assert (draft.id, draft.type) == ("m-1", "csm.usage.recorded")
    assert draft.data == {"feature": "report exported", "user_id": "u-1", "properties": {"rows": 12}}
    assert (found.account, found.joins, found.users) == ("acme", "acme", ("u-1",))


def test_without_groups_the_user_tells_the_account() -> None:
    found = understood(capture("x"), POSTHOG)
    assert (found.account, found.joins, found.users) == (None, None, ("u-1",))


@pytest.mark.parametrize(
    ("groups", "account"),
    [
        ({"company": "acme", "project": "p-1"}, "acme"),
        ({"organization": 5}, "5"),
        ({"project": "p-1"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_one_of_the_groups_is_the_account(groups: object, account: str | None) -> None:
    assert understood(capture("x", {"$groups": groups}), POSTHOG).account == account


def test_which_one_can_be_configured() -> None:
    reader = PosthogReader(rules("account_groups: [project]"))
    assert (
        understood(capture("x", {"$groups": {"company": "acme", "project": "p-1"}}), reader).account == "p-1"
    )


def test_groupidentify_tells_of_the_account_and_of_no_user() -> None:
    group = {"$group_type": "company", "$group_key": "acme", "$group_set": {"name": "Acme", "plan": "pro"}}
    found = understood(capture("$groupidentify", group, distinct_id="$company_acme"), POSTHOG)
    assert (found.account, found.users, found.joins) == ("acme", (), None)
    assert found.drafts[0].data == {"name": "Acme", "plan": "pro"}


def test_a_group_that_is_not_known_to_be_the_account_waits_for_a_word_on_it() -> None:
    group = {"$group_type": "project", "$group_key": "p-1"}
    told = refused(capture("$groupidentify", group), POSTHOG)
    assert told.code == "unknown_group_type"
    assert "sdk.account_groups" in told.message
    ignoring = PosthogReader(rules("ignore: [{type: group, groupType: project}]"))
    assert understood(capture("$groupidentify", group), ignoring).drafts == ()


@pytest.mark.parametrize("event", ["$identify", "$set"])
def test_identify_is_a_contact(event: str) -> None:
    told = {"$set": {"email": "kim@acme.example"}, "$anon_distinct_id": "a-1", "$set_once": {"name": "Kim"}}
    found = understood(capture(event, told), POSTHOG)
    assert found.users == ("u-1", "a-1")
    assert found.drafts[0].data == {"contact_id": "u-1", "name": "Kim", "email": "kim@acme.example"}


def test_the_python_sdk_tells_of_the_person_beside_the_properties() -> None:
    found = fact(capture("$set", **{"$set": {"email": "kim@acme.example"}}), POSTHOG)
    assert found.data == {"contact_id": "u-1", "email": "kim@acme.example"}


def test_create_alias_makes_one_person_of_two() -> None:
    found = understood(capture("$create_alias", {"alias": "u-1"}, distinct_id="a-1"), POSTHOG)
    assert (found.users, found.merges, found.drafts) == (("u-1", "a-1"), True, ())


@pytest.mark.parametrize(
    ("event", "feature"),
    [("$pageview", "page"), ("$screen", "screen: Home"), ("$autocapture", "$autocapture")],
)
def test_pages_and_screens_are_features(event: str, feature: str) -> None:
    assert fact(capture(event, {"$screen_name": "Home"}), POSTHOG).data["feature"] == feature


def test_what_the_sdk_sends_by_itself_is_no_use() -> None:
    assert understood(capture("$feature_flag_called", IN_ACME), POSTHOG).drafts == ()


@pytest.mark.parametrize(
    ("properties", "members", "id"),
    [
        ({"$insert_id": "i-1"}, {"uuid": None}, "i-1"),
        ({"$insert_id": "i-1"}, {}, "m-1"),
        ({}, {"uuid": None, "messageId": "x"}, "x"),
    ],
)
def test_ids_have_several_names(properties: dict[str, Any], members: dict[str, Any], id: str) -> None:
    assert understood(capture("x", properties, **members), POSTHOG).id == id


def test_the_user_may_be_told_among_the_properties() -> None:
    assert understood(capture("x", {"distinct_id": "u-2"}, distinct_id=None), POSTHOG).users == ("u-2",)


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (capture(""), "missing_value"),
        (capture("x", distinct_id=None), "missing_value"),
        (capture("x", {"$groups": "acme"}), "not_an_object"),
        (capture("x") | {"properties": []}, "not_an_object"),
        (capture("$groupidentify"), "unknown_group_type"),
        (capture("$groupidentify", {"$group_type": "company"}), "missing_value"),
        (capture("$create_alias"), "missing_value"),
        (capture("x", timestamp="soon"), "not_a_time"),
        ([1], "invalid_event"),
    ],
)
def test_an_event_at_fault_is_refused_with_a_sentence(event: object, code: str) -> None:
    assert refused(event, POSTHOG).code == code


def test_clocks_are_set_right() -> None:
    found = POSTHOG(received(capture("x"), sent_at="2026-03-02T08:00:00+00:00"))
    assert isinstance(found, Incoming)
    assert found.time.isoformat() == "2026-03-02T09:59:00+00:00"
