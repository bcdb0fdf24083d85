"""Mails that come back, through the door: what becomes of the person, and what the product is told."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.integration.notifier.outcomes.conftest import JO, Service
from tests.unit.notifier.outcomes.samples import ID, mail
from tests.unit.notifier.outcomes.test_inbound_mail import HOSTILE

from notifier.application.responses import TakenMail

TYPE = {"Content-Type": "message/rfc822"}


async def send(service: Service, raw: bytes, **query: str) -> dict[str, object]:
    """What it was taken for."""
    answer = await service.operator.post("/v1/mails", content=raw, headers=TYPE, params=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def told(service: Service) -> list[tuple[object, object, object]]:
    """Status, code and answer of the facts."""
    return [(each["status"], each["code"], each["answer"]) for each in await service.facts("delivered")]


async def test_a_bounce_of_a_bad_address_ends_all_messages_to_it(service: Service) -> None:
    await service.sent(ID)
    assert await send(service, mail("postfix", service.addresses)) == {
        "taken_for": "bounced",
        "notification_id": ID,
        "repeated": False,
        "suppressed": True,
        "status": "5.1.1",
    }
    assert await told(service) == [("bounced", 550, "hard")]
    assert await service.in_force() == [(None, "hard_bounce")]
    await service.ask("n-2", message_class="transactional")
    await service.desk.round()
    assert await service.status("n-2") == "suppressed"
    (listed,) = (await service.reader.get("/v1/suppressions")).json()["suppressions"]
    assert (listed["account_id"], listed["contact_id"], listed["note"]) == ("acme", "jo", "5.1.1")


@pytest.mark.parametrize("name", ["mailbox_full", "spam_filter", "qmail_queue"])
async def test_a_bounce_that_passes_is_told_and_no_more(service: Service, name: str) -> None:
    await service.sent(ID)
    assert (await send(service, mail(name, service.addresses)))["suppressed"] is False
    assert [each[0::2] for each in await told(service)] == [("bounced", "soft")]
    assert await service.in_force() == []


@pytest.mark.parametrize("name", ["postfix_delayed", "receipt", "out_of_office", "vacation", "read_receipt"])
async def test_what_machines_say_beside_that_is_only_counted(service: Service, name: str) -> None:
    await service.sent(ID)
    assert (await send(service, mail(name, service.addresses)))["notification_id"] == ID
    assert await told(service) == []
    assert await service.in_force() == []


async def test_a_spam_report_ends_all_messages(service: Service) -> None:
    await service.sent(ID)
    assert (await send(service, mail("feedback_report", service.addresses)))["suppressed"] is True
    assert await told(service) == [("complained", None, None)]
    assert await service.in_force() == [(None, "complaint")]


async def test_a_reply_is_told_and_nothing_of_its_text_is_kept(service: Service) -> None:
    await service.sent(ID)
    assert (await send(service, mail("reply", service.addresses)))["taken_for"] == "replied"
    assert await told(service) == [("replied", None, None)]
    for table in ("responses", "inbound_mails", "outbox"):
        async with service.desk.engine.connect() as connection:
            rows = await connection.scalars(text(f"SELECT t::text FROM {table} t"))
            assert all("Yes, please" not in each and JO not in each for each in rows)


async def test_a_mail_to_the_unsubscribing_address_unsubscribes_at_once(service: Service) -> None:
    links = await service.sent(ID)
    assert links.unsubscribe_mail == f"{service.addresses.unsubscribes(ID)}?subject=unsubscribe"
    assert (await send(service, mail("unsubscribe", service.addresses)))["taken_for"] == "unsubscribed"
    assert await told(service) == [("unsubscribed", None, "expansion")]
    assert await service.in_force() == [("expansion", "unsubscribed")]


async def test_the_same_mail_twice_changes_nothing(service: Service) -> None:
    await service.sent(ID)
    first = await send(service, mail("postfix", service.addresses))
    (suppression,) = (await service.reader.get("/v1/suppressions")).json()["suppressions"]
    await service.operator.delete(f"/v1/suppressions/{suppression['id']}")
    again = await send(service, b"Received: again\n" + mail("postfix", service.addresses))
    assert again == first | {"repeated": True, "suppressed": False, "status": None}
    assert await service.in_force() == []
    assert len(await told(service)) == 1


async def test_a_bounce_that_passed_may_be_followed_by_one_that_does_not(service: Service) -> None:
    await service.sent(ID)
    await send(service, mail("mailbox_full", service.addresses))
    await send(service, mail("postfix", service.addresses))
    assert [each[0::2] for each in await told(service)] == [("bounced", "soft"), ("bounced", "hard")]


@pytest.mark.parametrize("name", ["postfix", "gmail", "feedback_report"])
async def test_nobody_fakes_a_bounce_for_another(service: Service, name: str) -> None:
    """It names the message in its headers, so it is told of; without our signature it suppresses nobody."""
    await service.sent(ID)
    forged = mail(name, service.addresses).replace(
        service.addresses.bounces(ID).encode(), f"bounces+{ID}-aaaaaaaaaaaa@mail.example.com".encode()
    )
    assert (await send(service, forged))["suppressed"] is False
    assert len(await told(service)) == 1
    assert await service.in_force() == []


async def test_an_unsubscribing_address_that_was_made_up_is_not_obeyed(service: Service) -> None:
    await service.sent(ID)
    made_up = mail("unsubscribe", service.addresses).replace(
        (service.addresses.unsubscribes(ID) or "").encode(),
        f"bounces+u-{ID}-aaaaaaaaaaaa@mail.example.com".encode(),
    )
    assert (await send(service, made_up))["notification_id"] is None
    assert await service.in_force() == []


async def test_the_envelope_may_say_which_message_it_was(service: Service) -> None:
    await service.sent(ID)
    anonymous = mail("no_such_user", service.addresses).replace(
        service.addresses.bounces(ID).encode(), b"undisclosed"
    )
    found = await send(service, anonymous, recipient=service.addresses.bounces(ID))
    assert (found["notification_id"], found["suppressed"]) == (ID, True)


async def test_a_mail_about_nothing_of_ours_is_taken_in_and_left_alone(service: Service) -> None:
    found = await send(service, mail("stranger", service.addresses))
    assert (found["taken_for"], found["notification_id"]) == ("unknown", None)
    assert (await send(service, mail("postfix", service.addresses)))["notification_id"] is None
    assert await told(service) == []


async def test_our_own_team_is_not_suppressed_by_a_message_to_an_endpoint(service: Service) -> None:
    await service.sent(ID)
    async with service.desk.engine.begin() as tx:
        await tx.execute(text("UPDATE notifications SET person = NULL"))
    assert (await send(service, mail("postfix", service.addresses)))["suppressed"] is False
    assert await told(service) == [("bounced", 550, "hard")]


async def test_the_door_is_for_mails_of_a_size_with_a_key(service: Service) -> None:
    raw = mail("postfix", service.addresses)
    post = service.operator.post
    assert (await post("/v1/mails", content=raw, headers={"Content-Type": "text/plain"})).status_code == 415
    assert (await post("/v1/mails", content=raw)).status_code == 415
    assert (await post("/v1/mails", content=b"x" * 1_100_000, headers=TYPE)).status_code == 413
    assert (await service.person.post("/v1/mails", content=raw, headers=TYPE)).status_code == 401
    assert (await service.reader.post("/v1/mails", content=raw, headers=TYPE)).status_code == 403


@pytest.mark.parametrize("name", sorted(HOSTILE))
async def test_a_hostile_mail_is_answered_like_any_other(service: Service, name: str) -> None:
    await send(service, HOSTILE[name])
    assert await told(service) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=400),
    st.sampled_from([b"In-Reply-To: ", b"Message-ID: ", b"To: ", b""]),
    st.text(max_size=40),
)
async def test_whatever_comes_makes_no_error_of_ours(
    service: Service, raw: bytes, header: bytes, recipient: str
) -> None:
    await send(service, header + raw, recipient=recipient)


async def test_mails_are_forgotten_after_a_while(service: Service) -> None:
    async with service.open_work() as work:
        now = service.desk.clock.now()
        taken = TakenMail("replied", None)
        assert await work.responses.take_in("a", taken, now) is None
        assert await work.responses.take_in("a", taken, now) == taken
        assert await work.responses.take_in("b", taken, now + timedelta(days=91)) is None
        assert await work.responses.take_in("a", taken, now + timedelta(days=91)) is None
