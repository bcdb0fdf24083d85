"""What becomes of Segment's calls where nothing is configured."""

from typing import Any

import pytest
from tests.unit.ingest.sdk.samples import AT, SEGMENT, call, fact, received, refused, rules, understood

from ingest.application.sdk.segment import SegmentReader
from ingest.application.shapes import data_problem


def test_track_is_use_of_a_feature() -> None:
    found = understood(call(properties={"rows": 12}))
    (draft,) = found.drafts
    assert (draft.id, draft.type, draft.time.isoformat()) == (
        "m-1",
        "csm.usage.recorded",
        "2026-03-02T08:59:00+00:00",
    )
    assert draft.data == {"feature": "Report Exported", "user_id": "u-1", "properties": {"rows": 12}}
    assert (found.id, found.source, found.name, found.properties) == (
        "m-1",
        "sdk/app",
        "Report Exported",
        {"rows": 12},
    )
    assert (found.account, found.users, found.joins, found.merges) == (None, ("u-1",), None, False)


@pytest.mark.parametrize(
    ("members", "account"),
    [
        ({"context": {"groupId": "acme"}}, "acme"),
        ({"context": {"group_id": "acme"}}, "acme"),
        ({"groupId": "acme"}, "acme"),
        ({"context": {"groupId": 42}}, "42"),
        ({"context": {"groupId": None}}, None),
        ({"context": {"groupId": ""}}, None),
        ({"context": None}, None),
        ({"context": ...}, None),
    ],
)
def test_the_account_is_told_in_the_context(members: dict[str, Any], account: str | None) -> None:
    assert understood(call(**members)).account == account


def test_what_a_batch_says_in_its_context_holds_for_its_messages() -> None:
    shared = '{"groupId": "acme", "ip": "::1"}'
    assert understood(call(), context=shared).account == "acme"
    assert understood(call(context={"groupId": "other"}), context=shared).account == "other"
    assert refused(call(), context='{"a": 1, "a": 2}').code == "duplicate_name"


@pytest.mark.parametrize(
    ("ids", "users", "user"),
    [
        ({"userId": "u", "anonymousId": "a"}, ("u", "a"), "u"),
        ({"userId": None, "anonymousId": "a"}, ("a",), "a"),
        ({"userId": "", "anonymousId": "a"}, ("a",), "a"),
        ({"userId": 7, "anonymousId": ...}, ("7",), "7"),
        ({"userId": "u", "anonymousId": "u"}, ("u",), "u"),
    ],
)
def test_a_person_has_one_or_two_names(ids: dict[str, Any], users: tuple[str, ...], user: str) -> None:
    found = understood(call(**ids))
    assert (found.users, found.drafts[0].data["user_id"]) == (users, user)


@pytest.mark.parametrize(
    ("type", "name", "feature"),
    [
        ("page", "Pricing", "page: Pricing"),
        ("page", None, "page"),
        ("page", "", "page"),
        ("screen", "Home", "screen: Home"),
        ("screen", ..., "screen"),
    ],
)
def test_pages_and_screens_are_features(type: str, name: object, feature: str) -> None:
    found = fact(call(type, name=name, properties={"url": "/p"}))
    assert found.data == {"feature": feature, "user_id": "u-1", "properties": {"url": "/p"}}


def test_group_tells_of_the_account_and_puts_the_user_into_it() -> None:
    traits = {
        "name": "Acme",
        "plan": "pro",
        "seats": "25",
        "arr": 12_000,
        "currency": "EUR",
        "renewalDate": "2026-12-31",
        "owner": "dana",
        "industry": "steel",
        "employees": 300,
    }
    found = understood(call("group", groupId="acme", traits=traits))
    assert (found.account, found.joins, found.users, found.name) == ("acme", "acme", ("u-1",), "group")
    assert found.properties == traits
    (draft,) = found.drafts
    assert draft.type == "csm.account.changed"
    assert draft.data == {
        "name": "Acme",
        "plan": "pro",
        "seats": 25.0,
        "arr": 12_000.0,
        "currency": "EUR",
        "renewal_date": "2026-12-31",
        "owner": "dana",
        "attributes": {"industry": "steel", "employees": 300},
    }
    assert data_problem(draft.type, draft.data) is None


def test_a_group_of_nobody_is_still_an_account() -> None:
    found = understood(call("group", userId=None, groupId=7))
    assert (found.account, found.users) == ("7", ())


@pytest.mark.parametrize(
    ("traits", "field", "value"),
    [
        ({"mrr": 99.99}, "arr", 1199.88),
        ({"mrr": 100, "arr": 1000}, "arr", 1000.0),
        ({"annualRecurringRevenue": "900"}, "arr", 900.0),
        ({"plan": {"id": 3, "name": "pro"}}, "plan", "pro"),
        ({"plan_name": "pro"}, "plan", "pro"),
        ({"seatCount": 3}, "seats", 3.0),
        ({"renews_at": 1_800_000_000}, "renewal_date", "2027-01-15T08:00:00Z"),
        ({"renewsAt": 1_800_000_000_000}, "renewal_date", "2027-01-15T08:00:00Z"),
        ({"renewal_date": "2027-01-15T08:00:00Z"}, "renewal_date", "2027-01-15T08:00:00Z"),
        ({"owner": {"id": 5, "name": "Dana"}}, "owner", "5"),
        ({"ownerId": "dana"}, "owner", "dana"),
    ],
)
def test_traits_are_known_in_their_common_spellings(
    traits: dict[str, Any], field: str, value: object
) -> None:
    assert fact(call("group", groupId="acme", traits=traits)).data[field] == value


@pytest.mark.parametrize(
    ("traits", "message"),
    [
        ({"arr": "lots"}, "traits.arr is 'lots', expected a number."),
        ({"seats": [5]}, "traits.seats is [5], expected a number."),
        ({"plan": {"tier": 1}}, "traits.plan is {'tier': 1}, expected a text."),
        (
            {"renewalDate": "12/31/2026"},
            "traits.renewalDate is '12/31/2026', expected a date or time as ISO 8601 or epoch_s or epoch_ms.",
        ),
        ([1], "traits is an array, expected an object."),
    ],
)
def test_a_trait_that_cannot_be_read_is_named(traits: object, message: str) -> None:
    assert refused(call("group", groupId="acme", traits=traits)).message == message


def test_identify_is_a_contact_and_nothing_personal_beside_it() -> None:
    traits = {"name": "Kim", "email": "kim@acme.example", "phone": 49123, "title": "CTO", "birthday": "1990"}
    found = understood(call("identify", anonymousId="a-1", traits=traits, context={"locale": "de-DE"}))
    assert (found.users, found.merges, found.joins) == (("u-1", "a-1"), False, None)
    (draft,) = found.drafts
    assert draft.type == "csm.contact.changed"
    assert draft.data == {
        "contact_id": "u-1",
        "name": "Kim",
        "email": "kim@acme.example",
        "phone": "49123",
        "role": "CTO",
        "locale": "de-DE",
    }


@pytest.mark.parametrize(
    ("traits", "name"),
    [
        ({"firstName": "Kim", "lastName": "Sommer"}, "Kim Sommer"),
        ({"first_name": "Kim", "last_name": "Sommer"}, "Kim Sommer"),
        ({"firstName": "Kim"}, "Kim"),
        ({"name": "K. S.", "firstName": "Kim", "lastName": "Sommer"}, "K. S."),
        ({}, None),
        (None, None),
    ],
)
def test_names_may_come_in_parts(traits: object, name: str | None) -> None:
    assert fact(call("identify", traits=traits)).data.get("name") == name


def test_alias_makes_one_person_of_two_and_tells_nothing_else() -> None:
    found = understood(call("alias", previousId="a-1"))
    assert (found.users, found.merges, found.drafts) == (("u-1", "a-1"), True, ())


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (call(event=""), "missing_value"),
        (call(event=None), "missing_value"),
        (call(event=["x"]), "not_a_text"),
        (call(event="x" * 201), "too_long"),
        (call(event="a\tb"), "not_a_text"),
        (call(userId=None), "missing_value"),
        (call(userId=True), "not_a_text"),
        (call(userId={}), "not_a_text"),
        (call(userId=10**300), "too_long"),
        (call("identify", userId=""), "missing_value"),
        (call("group"), "missing_value"),
        (call("group", groupId=""), "missing_value"),
        (call("alias"), "missing_value"),
        (call("alias", userId=None, previousId="a"), "missing_value"),
        (call("page", name=[]), "not_a_text"),
        (call("merge"), "unknown_type"),
        (call(None), "unknown_type"),
        (call() | {"type": ["track"]}, "unknown_type"),
        (call(properties=[]), "not_an_object"),
        (call(context="x"), "not_an_object"),
        (call(timestamp="yesterday"), "not_a_time"),
        (call(timestamp=1_700_000_000), "not_a_time"),
        (call(timestamp=0), "not_a_time"),
        (call(timestamp=[]), "not_a_time"),
        (call(timestamp=None, originalTimestamp=False), "not_a_time"),
        (call(messageId=["x"]), "not_a_text"),
        ([], "invalid_event"),
        (b"{", "invalid_json"),
        (b'{"type": "track", "type": "page"}', "duplicate_name"),
        (call(properties={"x": "y" * 33_000}), "event_too_large"),
    ],
)
def test_a_message_at_fault_is_refused_with_a_sentence(message: object, code: str) -> None:
    assert refused(message).code == code


def test_the_route_tells_the_kind_of_call() -> None:
    assert understood(call(None, event="x"), type="track").name == "x"
    assert refused(call("identify", event=None), type="track").code == "missing_value"


class TestIds:
    """A message that is sent again has the same id, also where it has none of its own."""

    def test_its_own_id_is_kept(self) -> None:
        assert understood(call(messageId=17)).id == "17"

    def test_without_one_what_it_says_decides(self) -> None:
        first = understood(call(messageId=None, sentAt="2026-03-02T09:00:00Z")).id
        again = understood(
            call(messageId="", sentAt="2026-03-02T09:05:00Z", receivedAt="x") | {"messageId": None}
        ).id
        assert first == again
        assert understood(call(messageId=None, event="Other")).id != first


class TestTimes:
    """timestamp = received at − (sent at − timestamp)."""

    def time(self, message: dict[str, Any], **context: str) -> str:
        return understood(message, SEGMENT, **context).time.isoformat()

    def test_a_clock_that_is_ahead_is_set_right(self) -> None:
        ahead = call(timestamp="2026-03-02T09:59:00Z")
        assert self.time(ahead, sent_at="2026-03-02T10:00:00Z") == "2026-03-02T08:59:00+00:00"

    def test_so_is_one_that_is_behind(self) -> None:
        behind = call(timestamp="2026-03-01T08:59:00Z")
        assert self.time(behind, sent_at="2026-03-01T09:00:00Z") == "2026-03-02T08:59:00+00:00"

    def test_the_way_here_counts_as_well(self) -> None:
        assert self.time(call(), sent_at="2026-03-02T08:59:57.123456Z") == "2026-03-02T08:59:02.876544+00:00"

    def test_the_messages_own_word_comes_first(self) -> None:
        message = call(sentAt="2026-03-02T10:00:00Z", timestamp="2026-03-02T09:59:00Z")
        assert self.time(message, sent_at="2026-03-02T09:00:00Z") == "2026-03-02T08:59:00+00:00"

    def test_an_original_timestamp_is_one_too(self) -> None:
        message = call(timestamp=None, originalTimestamp="2026-03-02T08:58:00Z")
        assert self.time(message) == "2026-03-02T08:58:00+00:00"

    def test_without_any_it_is_the_time_of_receipt(self) -> None:
        assert understood(call(timestamp=...)).time == AT

    def test_microseconds_and_missing_zones_are_read(self) -> None:
        assert self.time(call(timestamp="2026-03-02T08:59:00.123456")) == "2026-03-02T08:59:00.123456+00:00"

    @pytest.mark.parametrize("sent_at", ["soon", "", None, 5])
    def test_what_cannot_be_read_of_the_sending_corrects_nothing(self, sent_at: object) -> None:
        assert self.time(call(sentAt=sent_at)) == "2026-03-02T08:59:00+00:00"

    def test_a_time_beyond_all_calendars_is_refused(self) -> None:
        message = call(timestamp="0001-01-01T00:00:00Z", sentAt="2027-01-01T00:00:00Z")
        assert refused(message).code == "not_a_time"


def test_a_reader_is_pure() -> None:
    message = received(call())
    assert SegmentReader(rules())(message) == SegmentReader(rules())(message)
