"""Intercom's conversations, tickets, ratings and people, in the shapes of its old and new API."""

import json
from itertools import pairwise
from typing import Any

import pytest
from tests.unit.ingest.webhooks.samples import DATA, code_of, only_draft, received, sample, understood

from ingest.application.incoming import Draft
from ingest.application.shapes import data_problem
from ingest.application.webhooks.intercom import IntercomReader

READ = IntercomReader()
USER = {"type": "user", "id": "5ee3", "user_id": "u-17"}
CONTACTS = {"type": "contact.list", "contacts": [{"type": "contact", "id": "5ee3", "external_id": "u-17"}]}


def notification(topic: str, item: dict[str, Any], **members: Any) -> dict[str, Any]:
    whole = {
        "type": "notification_event",
        "id": "notif_1",
        "topic": topic,
        "created_at": 1_767_225_600,
        "data": {"type": "notification_event_data", "item": item},
    }
    return whole | members


def conversation(**members: Any) -> dict[str, Any]:
    whole = {
        "type": "conversation",
        "id": "137",
        "state": "open",
        "open": True,
        "user": USER,
        "conversation_rating": {},
    }
    return whole | members


def companies(*ids: str, new: bool = False) -> dict[str, Any]:
    if new:
        return {"type": "list", "data": [{"type": "company", "id": each} for each in ids]}
    told = [{"type": "company", "company_id": each, "id": f"ic-{each}"} for each in ids]
    return {"type": "company.list", "companies": told}


def draft_of(topic: str, item: dict[str, Any]) -> Draft:
    draft = only_draft(READ(received(notification(topic, item))))
    assert data_problem(draft.type, draft.data) is None
    return draft


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ({"state": "open", "open": True}, "open"),
        ({"state": "snoozed", "open": True}, "on_hold"),
        ({"state": "closed", "open": False}, "closed"),
        ({"state": None, "open": False}, "closed"),
        ({"state": None, "open": True}, "open"),
    ],
)
def test_a_conversation_is_a_ticket(told: dict[str, Any], status: str) -> None:
    draft = draft_of("conversation.admin.replied", conversation(priority="priority", **told))
    assert (draft.id, draft.type) == ("notif_1", "csm.ticket.changed")
    assert draft.data == {"ticket_id": "137", "status": status, "priority": "high", "user_id": "u-17"}


@pytest.mark.parametrize(
    ("category", "status"),
    [
        ("submitted", "open"),
        ("in_progress", "open"),
        ("waiting_on_customer", "pending"),
        ("resolved", "solved"),
    ],
)
def test_a_ticket(category: str, status: str) -> None:
    item = {
        "type": "ticket",
        "id": "215",
        "ticket_state": {"category": category},
        "ticket_type": {"name": "Bug"},
        "contacts": CONTACTS,
        "open": True,
    }
    told = draft_of("ticket.state.updated", item).data
    assert (told["ticket_id"], told["status"], told["topic"]) == ("215", status, "Bug")
    assert draft_of("ticket.state.updated", item | {"ticket_state": category}).data["status"] == status


def test_states_of_one_second_are_in_the_order_in_which_they_follow_each_other() -> None:
    states = [("open", True), ("snoozed", True), ("closed", False)]
    drafts = [
        draft_of("conversation.admin.x", conversation(state=state, open=open_)) for state, open_ in states
    ]
    assert all(earlier.time < later.time for earlier, later in pairwise(drafts))


def test_a_rating() -> None:
    rated = conversation(conversation_rating={"rating": 4, "remark": "Quick."})
    draft = draft_of("conversation.rating.added", rated)
    assert draft.type == "csm.survey.answered"
    assert draft.data == {
        "kind": "csat",
        "score": 4.0,
        "scale_max": 5.0,
        "touchpoint": "conversation",
        "respondent_id": "u-17",
        "comment": "Quick.",
    }
    assert draft_of("conversation.admin.closed", rated).type == "csm.ticket.changed"


@pytest.mark.parametrize(
    "people",
    [
        {"user": USER},
        {"user": None, "contacts": CONTACTS},
        {"user": None, "contacts": {"type": "list", "data": CONTACTS["contacts"]}},
    ],
)
def test_a_conversation_waits_for_its_person_s_account(people: dict[str, Any]) -> None:
    read = understood(READ(received(notification("conversation.user.created", conversation(**people)))))
    assert read.users == ("u-17", "intercom:5ee3")
    assert (read.account, read.joins, read.fallback) == (None, None, None)


def test_a_conversation_that_tells_its_company() -> None:
    item = conversation(company={"type": "company", "id": "6f", "company_id": "acme"})
    read = understood(READ(received(notification("conversation.user.created", item))))
    assert (read.account, read.joins) == ("acme", "acme")


@pytest.mark.parametrize(
    "lead",
    [
        {"type": "lead", "id": "59e0", "user_id": "invented-by-intercom"},
        {"type": "contact", "id": "59e0", "user_id": "invented-by-intercom"},
        {"type": "contact", "role": "lead", "id": "59e0", "external_id": "invented-by-intercom"},
    ],
)
def test_a_lead_is_known_to_intercom_only(lead: dict[str, Any]) -> None:
    read = understood(READ(received(notification("conversation.user.created", conversation(user=lead)))))
    assert read.users == ("intercom:59e0",)


@pytest.mark.parametrize(
    ("topic", "item"),
    [
        ("user.created", USER | {"companies": companies("acme")}),
        ("user.created", USER | {"companies": companies("acme", "acme")}),
        ("user.tag.created", {"type": "user_tag", "user": USER | {"companies": companies("acme")}}),
        (
            "company.contact.attached",
            {"company": {"type": "company", "id": "6f", "company_id": "acme"}, "contact": USER},
        ),
    ],
)
def test_a_person_s_company_is_their_account(topic: str, item: dict[str, Any]) -> None:
    read = understood(READ(received(notification(topic, item))))
    assert (read.users, read.joins, read.drafts) == (("u-17", "intercom:5ee3"), "acme", ())


@pytest.mark.parametrize(
    ("topic", "item"),
    [
        ("user.created", USER | {"companies": companies()}),
        ("user.created", USER | {"companies": companies("acme", "globex")}),
        ("contact.user.updated", USER | {"companies": companies("6f", new=True)}),
        ("user.deleted", USER | {"companies": companies("acme")}),
        ("company.contact.detached", {"company": {"company_id": "acme"}, "contact": USER}),
        ("company.created", {"type": "company", "id": "6f", "company_id": "acme"}),
        ("ping", {"type": "ping", "message": "something"}),
    ],
)
def test_what_tells_of_no_one_company_puts_nobody_anywhere(topic: str, item: dict[str, Any]) -> None:
    read = understood(READ(received(notification(topic, item))))
    assert (read.joins, read.account, read.users, read.drafts) == (None, None, (), ())


def test_intercom_s_own_id_of_the_company_where_that_is_the_account_s() -> None:
    read = IntercomReader(company_key="id")
    item = USER | {"companies": companies("6f", new=True)}
    assert understood(read(received(notification("contact.user.updated", item)))).joins == "6f"


def test_a_ping_has_no_id_and_gets_one() -> None:
    first = understood(READ(received(notification("ping", {"type": "ping"}, id=None))))
    again = understood(READ(received(notification("ping", {"type": "ping"}, id=None))))
    later = understood(READ(received(notification("ping", {"type": "ping"}, id=None, created_at=1))))
    assert first.id == again.id != later.id


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"topic": "ping"}, "invalid_payload"),
        (notification("conversation.user.created", conversation(id=None)), "invalid_payload"),
        (notification("conversation.user.created", conversation(state="odd", open=None)), "invalid_payload"),
        (notification("conversation.user.created", conversation(user=None)), "unknown_contact"),
        (notification("conversation.rating.added", conversation()), "unknown_rating"),
        (
            notification("conversation.rating.added", conversation(conversation_rating={"rating": 6})),
            "unknown_rating",
        ),
    ],
)
def test_what_cannot_be_read_says_why(payload: object, code: str) -> None:
    assert code_of(READ(received(payload))) == code


def test_real_notifications_are_all_understood() -> None:
    names = sorted(path.name for path in (DATA / "intercom").glob("*.json"))
    reads = {name: understood(READ(received(sample(f"intercom/{name}")))) for name in names}
    if not names:
        sample("intercom/webhook-user-created.json")
    for name, read in reads.items():
        told = json.loads(sample(f"intercom/{name}"))
        assert read.id == told["id"]
        assert read.name == told["topic"]
        is_conversation = told["data"]["item"]["type"] == "conversation"
        assert [each.type for each in read.drafts] == ["csm.ticket.changed"] * is_conversation


@pytest.mark.parametrize(
    ("name", "status"),
    [("closed", "closed"), ("snoozed", "on_hold"), ("opened", "open"), ("replied", "open")],
)
def test_real_conversations(name: str, status: str) -> None:
    read = understood(READ(received(sample(f"intercom/webhook-conversation-admin-{name}.json"))))
    assert read.users == ("234523452345345", "intercom:5ee3d479d1cf3dedbee23d68")
    assert read.drafts[0].data["status"] == status


def test_a_real_user_of_one_company_that_is_listed_twice() -> None:
    read = understood(READ(received(sample("intercom/webhook-user-created.json"))))
    assert read.joins == "5f161ef9ce73f3ea2605304f-qualification-company"
    assert read.users == ("2345234523452345", "intercom:5f297f71bce3e055f3afdf6e")
