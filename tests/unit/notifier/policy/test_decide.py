"""The word of the contact policy on one message."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.support.clock import START
from tests.unit.notifier.builders import a_notification

from notifier.domain.caps import Cap, Reserved
from notifier.domain.digest import DigestTime, digest_of, with_more
from notifier.domain.notification import Notification, Wanted
from notifier.domain.policy import ClassRules, Contacted, ContactPolicy, Reason, Ruling, Suppression
from notifier.domain.policy_decision import Standing, decide, digest_instant
from notifier.domain.quiet_hours import QuietHours
from notifier.domain.recipients import Recipient

DAY = timedelta(days=1)
ANN = Recipient("contact", "ann@customer.example", "ann", "Ann")
SOMEBODY = Standing()
POLICY = ContactPolicy(
    classes={
        "internal": ClassRules(),
        "transactional": ClassRules(),
        "marketing": ClassRules(consent="opt_out", unsubscriptions=True, caps=True, quiet_hours=True),
    },
    caps=(Cap("person", 2, 7 * DAY, Reserved(100, 1)), Cap("account", 3, 7 * DAY)),
    quiet_hours=QuietHours(time(19), time(8)),
)
DIGESTED = ContactPolicy(classes=POLICY.classes, category_digests={"adoption": DigestTime(time(8, 30))})


def a_tip(id: str = "n-1", **changes: Any) -> Notification:
    """Outreach to a customer that can wait."""
    fields = {"message_class": "marketing", "category": "adoption", **changes}
    return a_notification(id, **fields)


def a_suppression(reason: Reason, category: str | None = None) -> Suppression:
    return Suppression(id=f"s-{reason}", person="p", category=category, reason=reason, since=START)


def told(id: str, at: datetime, priority: int = 0) -> Contacted:
    return Contacted(
        notification_id=id,
        account_id="acme",
        person="p",
        at=at,
        priority=priority,
        category="adoption",
        message_class="marketing",
    )


def ruling(
    notification: Notification,
    recipient: Recipient = ANN,
    standing: Standing = SOMEBODY,
    now: datetime = START,
    policy: ContactPolicy = POLICY,
) -> Ruling:
    return decide(policy, notification, recipient, standing, now)


def test_where_nothing_speaks_against_it_a_message_goes_until_quiet_hours_are_near() -> None:
    word = ruling(a_tip())
    assert (word.word, word.rule) == ("send", "none")
    assert word.valid_until == datetime(2026, 3, 2, 18, 59, tzinfo=UTC)


@pytest.mark.parametrize("reason", ["hard_bounce", "complaint", "manual"])
@pytest.mark.parametrize("message_class", ["internal", "transactional", "marketing"])
def test_bounces_complaints_and_operators_count_for_every_class(reason: Reason, message_class: str) -> None:
    standing = Standing(suppressions=[a_suppression(reason)])
    word = ruling(a_tip(message_class=message_class), standing=standing)
    assert (word.word, word.rule) == ("suppress", reason)


@pytest.mark.parametrize(
    ("message_class", "word"), [("internal", "send"), ("transactional", "send"), ("marketing", "suppress")]
)
def test_a_transactional_message_goes_in_spite_of_an_unsubscription(message_class: str, word: str) -> None:
    standing = Standing(suppressions=[a_suppression("unsubscribed")])
    assert ruling(a_tip(message_class=message_class), standing=standing).word == word


def test_an_unsubscription_of_another_category_does_not_count() -> None:
    standing = Standing(suppressions=[a_suppression("unsubscribed", "feedback")])
    assert ruling(a_tip(), standing=standing).word == "send"
    assert ruling(a_tip(category="feedback"), standing=standing).word == "suppress"


@pytest.mark.parametrize(
    ("consent", "said", "word"),
    [
        ("none", False, "send"),
        ("opt_out", None, "send"),
        ("opt_out", True, "send"),
        ("opt_out", False, "suppress"),
        ("opt_in", None, "suppress"),
        ("opt_in", False, "suppress"),
        ("opt_in", True, "send"),
    ],
)
def test_consent_is_what_the_class_asks_for(consent: Any, said: bool | None, word: str) -> None:
    policy = ContactPolicy(classes={"marketing": ClassRules(consent=consent)})
    consents = {} if said is None else {"adoption": said}
    recipient = Recipient("contact", "ann@customer.example", "ann", consents=consents)
    assert ruling(a_tip(), recipient, policy=policy).word == word


def test_a_cap_holds_until_the_oldest_leaves_its_window() -> None:
    standing = Standing(to_person=[told("a", START - 3 * DAY), told("b", START - 2 * DAY, 100)])
    word = ruling(a_tip(), standing=standing)
    assert (word.word, word.rule, word.until) == ("hold", "cap_person_7d", START + 4 * DAY)
    assert word.reason == (
        "2 of 2 messages within 7 days to this person, 1 of them kept for priority 100 and more;"
        " room again on 2026-03-06 09:00:00 UTC"
    )


def test_a_kept_slot_is_for_the_urgent() -> None:
    standing = Standing(to_person=[told("a", START - DAY)])
    assert ruling(a_tip(), standing=standing).word == "hold"
    assert ruling(a_tip(priority=100), standing=standing).word == "send"


def test_of_several_full_caps_the_one_that_is_full_longest_is_told() -> None:
    standing = Standing(
        to_person=[told("a", START - DAY)],
        about_account=[told("a", START), told("b", START), told("c", START)],
    )
    word = ruling(a_tip(), standing=standing)
    assert (word.rule, word.until) == ("cap_account_7d", START + 7 * DAY)


def test_what_wants_no_delay_ends_capped_or_dropped() -> None:
    standing = Standing(to_person=[told("a", START)])
    assert ruling(a_tip(if_held="drop"), standing=standing).word == "cap"
    night = datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert ruling(a_tip(if_held="drop"), now=night).word == "drop"


def test_a_message_without_a_slot_at_all_ends_capped() -> None:
    policy = ContactPolicy(classes=POLICY.classes, caps=(Cap("person", 1, DAY, Reserved(100, 1)),))
    assert ruling(a_tip(), policy=policy).word == "cap"


def test_a_retry_is_not_capped_by_itself_nor_by_those_after_it() -> None:
    standing = Standing(to_person=[told("n-1", START - DAY), told("b", START, 100)])
    assert ruling(a_tip(), standing=standing).word == "send"


def test_a_retry_whose_place_has_run_out_waits_like_all_others() -> None:
    standing = Standing(to_person=[told("n-1", START - 7 * DAY), told("b", START - DAY)])
    assert ruling(a_tip(), standing=standing).until == START + 6 * DAY


def test_quiet_hours_are_where_the_contact_is_else_the_account_else_the_policy() -> None:
    night = datetime(2026, 3, 2, 23, tzinfo=UTC)
    tokyo = Recipient("contact", "a@b.example", "ann", timezone="Asia/Tokyo")  # 08:00 there
    nowhere = Recipient("contact", "a@b.example", "ann", timezone="Mars/Olympus")
    in_tokyo = a_tip(context={"account": {"timezone": "Asia/Tokyo"}})
    assert ruling(a_tip(), tokyo, now=night).word == "send"
    assert ruling(in_tokyo, nowhere, now=night).word == "send"
    word = ruling(a_tip(), nowhere, now=night)
    assert (word.word, word.rule) == ("hold", "quiet_hours")
    assert (word.until, word.reason) == (
        datetime(2026, 3, 3, 8, tzinfo=UTC),
        "quiet hours in UTC end on 2026-03-03 08:00:00 UTC",
    )


def test_an_escalation_goes_at_any_hour_and_uncapped() -> None:
    standing = Standing(to_person=[told(str(each), START) for each in range(9)])
    night = datetime(2026, 3, 2, 23, tzinfo=UTC)
    assert ruling(a_tip(message_class="internal"), standing=standing, now=night).word == "send"


def test_what_is_no_person_knows_only_the_caps_of_accounts() -> None:
    team = Recipient("endpoint", "ops")
    night = datetime(2026, 3, 2, 23, tzinfo=UTC)
    full = Standing(to_person=[told("a", night)], about_account=[told("a", night)] * 3)
    assert ruling(a_tip(), team, Standing(to_person=[told("a", night)] * 3), night).word == "send"
    assert ruling(a_tip(), team, full, night).rule == "cap_account_7d"


def test_a_trial_of_a_template_goes_but_not_to_whom_must_not_be_written_to() -> None:
    trial = a_tip(kind="test")
    full = Standing(to_person=[told("a", START)] * 3)
    assert ruling(trial, standing=full).word == "send"
    assert ruling(trial, standing=Standing(suppressions=[a_suppression("manual")])).word == "suppress"


def test_a_class_nobody_has_told_of_has_the_strictest_rules() -> None:
    assert ruling(a_tip(), policy=ContactPolicy()).rule == "consent"


def test_a_category_with_a_digest_waits_for_the_persons_next_one() -> None:
    word = ruling(a_tip(), policy=DIGESTED)
    assert (word.word, word.rule) == ("hold", "digest")
    assert word.until == datetime(2026, 3, 3, 8, 30, tzinfo=UTC)
    assert ruling(a_tip(), policy=DIGESTED, standing=Standing(digest_due=True)).word == "send"


def test_a_message_waits_for_one_digest_only() -> None:
    later = datetime(2026, 3, 3, 8, 31, tzinfo=UTC)
    assert ruling(a_tip(), policy=DIGESTED, now=later).word == "send"


@pytest.mark.parametrize(
    "changes", [{"if_held": "drop"}, {"expires_at": START + timedelta(hours=2)}, {"category": "renewal"}]
)
def test_a_digest_is_a_courtesy_to_what_can_wait(changes: dict[str, Any]) -> None:
    assert ruling(a_tip(**changes), policy=DIGESTED).word == "send"


def test_an_unsubscription_counts_before_a_digest() -> None:
    standing = Standing(suppressions=[a_suppression("unsubscribed")])
    assert ruling(a_tip(), policy=DIGESTED, standing=standing).word == "suppress"


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # in the gap
        (
            datetime(2026, 10, 24, 12, tzinfo=UTC),
            datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        ),  # the first of two
        (datetime(2026, 10, 25, 0, 45, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_digest_comes_once_a_day_whatever_clocks_do(day: datetime, expected: datetime) -> None:
    assert DigestTime(time(2, 30)).next_after(day, ZoneInfo("Europe/Berlin")) == expected


def test_a_digest_tells_the_most_urgent_first_and_goes_by_the_strictest() -> None:
    items = [
        a_tip("a", message_class="internal", category="adoption"),
        a_tip("b", priority=50, category="renewal"),
    ]
    digest = digest_of("d", items, ANN, START + DAY)
    assert [each["notification_id"] for each in digest.context["items"]] == ["b", "a"]
    assert (digest.kind, digest.template, digest.priority) == ("digest", "digest", 50)
    assert (digest.category, digest.message_class) == ("digest", "marketing")
    assert digest.recipients == (Wanted("contact", "ann"),)
    more = with_more(digest, [a_tip("c", priority=70)])
    assert (more.priority, len(more.context["items"])) == (70, 3)
    assert digest_instant(DIGESTED, digest, ANN) is None


def test_whoever_wants_none_of_a_digests_items_wants_no_such_digest() -> None:
    digest = digest_of("d", [a_tip("a"), a_tip("b", category="feedback")], ANN, START)
    standing = Standing(suppressions=[a_suppression("unsubscribed", "feedback")])
    assert ruling(digest, standing=standing).word == "suppress"
    assert ruling(digest).word == "send"


def test_whoever_unsubscribed_from_digests_gets_nothing_that_would_stand_in_one() -> None:
    standing = Standing(suppressions=[a_suppression("unsubscribed", "digest")])
    assert ruling(a_tip(), policy=DIGESTED, standing=standing).word == "suppress"
    assert ruling(a_tip(category="renewal"), policy=DIGESTED, standing=standing).word == "send"
