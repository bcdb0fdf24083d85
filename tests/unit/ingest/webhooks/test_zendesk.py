"""Zendesk's tickets, organizations and users."""

import json
from typing import Any

import pytest
from tests.unit.ingest.webhooks.samples import code_of, only_draft, received, sample, understood

from ingest.application.incoming import Draft
from ingest.application.shapes import data_problem
from ingest.application.webhooks.zendesk import ZendeskReader

READ = ZendeskReader()


def ticket(**members: Any) -> dict[str, Any]:
    whole = {
        "id": "5158",
        "organization_id": "844",
        "requester_id": "77",
        "status": "OPEN",
        "priority": "HIGH",
        "type": "INCIDENT",
        "tags": ["mobile"],
        "subject": "Kim cannot log in",
    }
    return whole | members


def event(what: str, detail: dict[str, Any], **members: Any) -> dict[str, Any]:
    whole = {
        "id": "e-1",
        "type": f"zen:event-type:{what}",
        "time": "2026-01-08T12:15:45.789012345Z",
        "detail": detail,
        "event": {},
    }
    return whole | members


def draft_of(what: str, detail: dict[str, Any], **members: Any) -> Draft:
    draft = only_draft(READ(received(event(what, detail, **members))))
    assert data_problem(draft.type, draft.data) is None
    return draft


def test_a_ticket_without_what_people_wrote_into_it() -> None:
    draft = draft_of("ticket.status_changed", ticket())
    assert (draft.id, draft.type) == ("e-1", "csm.ticket.changed")
    assert draft.time.isoformat() == "2026-01-08T12:15:45.789012+00:00"
    assert draft.data == {
        "ticket_id": "5158",
        "status": "open",
        "priority": "high",
        "escalated": False,
        "user_id": "zendesk:user:77",
        "topic": "incident",
    }


@pytest.mark.parametrize(
    ("told", "status"),
    [
        ("NEW", "open"),
        ("open", "open"),
        ("Pending", "pending"),
        ("HOLD", "on_hold"),
        ("SOLVED", "solved"),
        ("CLOSED", "closed"),
        ("DELETED", "closed"),
    ],
)
def test_the_status(told: str, status: str) -> None:
    assert draft_of("ticket.created", ticket(status=told)).data["status"] == status


@pytest.mark.parametrize("what", ["soft_deleted", "permanently_deleted", "marked_as_spam", "merged"])
def test_a_ticket_that_is_gone_is_closed(what: str) -> None:
    assert draft_of(f"ticket.{what}", ticket()).data["status"] == "closed"


def test_an_escalated_ticket() -> None:
    assert draft_of("ticket.tags_changed", ticket(tags=["vip", "Escalated"])).data["escalated"] is True
    own = ZendeskReader(escalated_tags=frozenset({"vip"}))
    read = only_draft(own(received(event("ticket.tags_changed", ticket(tags=["vip"])))))
    assert read.data["escalated"] is True
    assert "escalated" not in draft_of("ticket.created", ticket(tags=None)).data


def test_what_is_not_told_is_left_out() -> None:
    told = draft_of("ticket.created", ticket(priority=None, type=None, requester_id=None)).data
    assert not {"priority", "topic", "user_id"} & set(told)


def test_the_organization_is_the_account_unless_somebody_linked_it() -> None:
    message = received(event("ticket.created", ticket()))
    read = understood(READ(message))
    assert (read.account, read.users, read.fallback) == (None, ("zendesk:org:844",), "844")
    held = understood(ZendeskReader(hold_unlinked=True)(message))
    assert (held.users, held.fallback) == (("zendesk:org:844",), None)


@pytest.mark.parametrize("none", [None, "0", 0, ""])
def test_a_ticket_without_organization_waits_for_its_requester_s_account(none: object) -> None:
    read = understood(READ(received(event("ticket.created", ticket(organization_id=none)))))
    assert (read.account, read.users, read.fallback) == (None, ("zendesk:user:77",), None)


def test_numbers_are_ids_as_well() -> None:
    read = understood(READ(received(event("ticket.created", ticket(id=5158, organization_id=844)))))
    assert read.fallback == "844"
    assert read.drafts[0].data["ticket_id"] == "5158"


def test_an_organization_s_external_id_links_it() -> None:
    detail = {"id": "844", "external_id": "acme", "name": "Acme"}
    read = understood(READ(received(event("organization.external_id_changed", detail))))
    assert (read.users, read.joins, read.drafts) == (("zendesk:org:844",), "acme", ())


def test_a_user_s_external_id_is_the_product_s_user_id() -> None:
    detail = {"id": "77", "external_id": "u-17", "organization_id": "0"}
    read = understood(READ(received(event("user.external_id_changed", detail))))
    assert (read.users, read.joins, read.drafts) == (("u-17", "zendesk:user:77"), None, ())


@pytest.mark.parametrize(("word", "score"), [("good", 5.0), ("BAD", 1.0)])
def test_a_rating(word: str, score: float) -> None:
    rated = ticket(satisfaction_rating={"score": word, "comment": "Quick."})
    draft = draft_of("ticket.satisfaction_rating_changed", rated)
    assert draft.type == "csm.survey.answered"
    assert draft.data == {
        "kind": "csat",
        "score": score,
        "scale_max": 5.0,
        "touchpoint": "ticket",
        "respondent_id": "zendesk:user:77",
        "comment": "Quick.",
    }


def test_a_rating_is_told_once_and_not_with_every_event_of_its_ticket() -> None:
    rated = ticket(satisfaction_rating={"score": "good"})
    assert draft_of("ticket.status_changed", rated).type == "csm.ticket.changed"


def test_other_events_are_understood_and_tell_nothing() -> None:
    read = understood(READ(received(event("article.published", {"id": "1", "external_id": "x"}))))
    assert (read.drafts, read.users, read.joins) == ((), (), None)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"ticket_id": 5158, "status": "open"}, "invalid_payload"),
        (event("ticket.created", ticket(), time=None), "invalid_payload"),
        (event("ticket.created", ticket(id=None)), "invalid_payload"),
        (event("ticket.created", ticket(status="ODD")), "invalid_payload"),
        (event("ticket.created", ticket(organization_id=None, requester_id=None)), "unknown_requester"),
        (
            event("ticket.satisfaction_rating_changed", ticket(satisfaction_rating={"score": "offered"})),
            "unknown_rating",
        ),
    ],
)
def test_what_cannot_be_read_says_why(payload: object, code: str) -> None:
    assert code_of(READ(received(payload))) == code


def test_real_events() -> None:
    draft = only_draft(READ(received(sample("zendesk/ticket_agent_assignment_changed.json"))))
    assert (draft.data["ticket_id"], draft.data["status"], draft.data["priority"]) == (
        "5158",
        "open",
        "urgent",
    )
    told = sample("zendesk/group_membership_created.json")
    assert understood(READ(received(told))).drafts == ()
    assert json.loads(told)["id"] == understood(READ(received(told))).id
