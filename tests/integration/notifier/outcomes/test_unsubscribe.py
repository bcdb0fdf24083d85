"""Unsubscribing: at once, by whoever holds the link, from what the message was about, and by nothing but intent."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import text
from tests.integration.notifier.outcomes.conftest import JO, PERSON, Service
from tests.support.clock import START

from notifier.application.responses import Claims
from notifier.domain.delivery import Answer
from notifier.domain.policy import Suppression

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def test_one_click_is_obeyed_without_cookies_or_a_key(service: Service) -> None:
    links = await service.sent()
    answer = await service.person.post(links.unsubscribe or "", data=ONE_CLICK)
    assert (answer.status_code, answer.cookies) == (200, httpx.Cookies())
    assert await service.in_force() == [("expansion", "unsubscribed")]
    await service.ask("n-2")
    await service.desk.round()
    assert await service.status("n-2") == "suppressed"
    assert len(service.channel.sent) == 1


async def test_one_click_may_come_as_multipart_or_with_nothing_in_it(service: Service) -> None:
    links = await service.sent()
    answer = await service.person.post(
        links.unsubscribe or "", files={"List-Unsubscribe": (None, "One-Click")}
    )
    assert answer.status_code == 200
    assert await service.in_force() == [("expansion", "unsubscribed")]
    assert (await service.person.post(links.unsubscribe or "")).status_code == 200


async def test_what_is_needed_still_comes_and_so_do_other_categories(service: Service) -> None:
    links = await service.sent()
    await service.person.post(links.unsubscribe or "", data=ONE_CLICK)
    await service.ask("n-2", message_class="transactional")
    await service.ask("n-3", category="feedback")
    await service.desk.round()
    assert [await service.status(each) for each in ("n-2", "n-3")] == ["sent", "sent"]


async def test_it_is_told_once_however_often_it_is_asked_for(service: Service) -> None:
    links = await service.sent()
    for _ in range(3):
        assert (await service.person.post(links.unsubscribe or "", data=ONE_CLICK)).status_code == 200
    (fact,) = await service.facts("delivered")
    assert (fact["id"], fact["status"], fact["answer"]) == ("n-1", "unsubscribed", "expansion")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_changes_nothing(service: Service, method: str) -> None:
    links = await service.sent()
    for link in (links.unsubscribe, links.preferences):
        answer = await service.person.request(method, link or "")
        assert answer.status_code == 200
        assert bool(answer.text) is (method == "GET")
    assert await service.in_force() == []


async def test_the_page_asks_in_the_language_of_the_person(service: Service) -> None:
    links = await service.sent()
    german = await service.person.get(links.unsubscribe or "")
    english = await service.person.get(links.unsubscribe or "", headers={"Accept-Language": "en-GB"})
    assert "Tarife und Erweiterungen" in german.text
    assert "Plans and upgrades" in english.text
    assert (german.headers["content-language"], english.headers["content-language"]) == ("de", "en")


async def test_the_page_leads_to_the_preferences(service: Service) -> None:
    links = await service.sent()
    page = await service.person.get(links.unsubscribe or "")
    link = page.text.partition('href="')[2].partition('"')[0]
    followed = await service.person.get(str(page.url.join(link)))
    assert followed.status_code == 200
    assert 'name="nothing"' in followed.text
    service.desk.clock.advance(timedelta(days=2))
    assert (await service.person.get(str(page.url.join(link)))).status_code == 404


async def test_pages_are_kept_by_nobody_and_tell_nobody_where_one_came_from(service: Service) -> None:
    links = await service.sent()
    for answer in (
        await service.person.get(links.unsubscribe or ""),
        await service.person.post(links.unsubscribe or "", data=ONE_CLICK),
        await service.person.get(links.preferences or ""),
        await service.person.get("/v1/unsubscribe/forged"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers
        assert JO not in answer.text


@pytest.mark.parametrize("path", ["unsubscribe", "preferences"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(
    "token", ["x", "a.b.c", "%00", "%ff", "..%2f..", "x" * 20_000, "ü"], ids=lambda each: ascii(each)[:12]
)
async def test_a_link_that_is_not_ours_is_answered_kindly(
    service: Service, path: str, method: str, token: str
) -> None:
    answer = await service.person.request(method, f"/v1/{path}/{token}")
    assert answer.status_code in (404, 405)
    assert answer.status_code == 404 or "%2f" in token


async def test_all_links_that_do_not_work_look_the_same(service: Service) -> None:
    links = await service.sent()
    genuine = (links.unsubscribe or "").rpartition("/")[2]
    wrong = ["x", genuine[:-5], (links.preferences or "").rpartition("/")[2], genuine.replace(".", ".x", 1)]
    pages = {(await service.person.get(f"/v1/unsubscribe/{each}")).text for each in wrong}
    assert len(pages) == 1
    assert "latest message" in pages.pop()
    assert (await service.person.post(f"/v1/unsubscribe/{wrong[2]}", data=ONE_CLICK)).status_code == 404
    assert await service.in_force() == []


async def test_a_link_about_nobody_unsubscribes_nobody(service: Service) -> None:
    token = service.tokens.sign(Claims(notification_id="n-1", category="expansion"), "unsubscribe")
    assert (await service.person.post(f"/v1/unsubscribe/{token}", data=ONE_CLICK)).status_code == 404


async def test_it_is_obeyed_even_when_the_message_is_not_known_any_more(service: Service) -> None:
    links = await service.sent()
    async with service.desk.engine.begin() as tx:
        await tx.execute(text("DELETE FROM notifications"))
    assert (await service.person.post(links.unsubscribe or "", data=ONE_CLICK)).status_code == 200
    assert await service.in_force() == [("expansion", "unsubscribed")]
    assert await service.facts("delivered") == []


async def test_a_flood_in_a_body_is_refused(service: Service) -> None:
    links = await service.sent()
    flood = "a=b&" * 10_000
    assert (await service.person.post(links.unsubscribe or "", content=flood)).status_code == 413
    assert (await service.person.post(links.preferences or "", content="a=b&" * 1000)).status_code == 400


# ---- at once


async def test_the_answer_waits_for_what_was_under_way(service: Service) -> None:
    links = await service.sent()
    await service.ask("n-2")
    jobs = await service.desk.claim()
    asked = asyncio.create_task(service.person.post(links.unsubscribe or "", data=ONE_CLICK))
    while not await service.in_force():
        assert not asked.done()
    done, _ = await asyncio.wait([asked], timeout=0.2)
    assert not done
    await service.desk.record(*[await service.desk.delivery.attempt(each) for each in jobs])
    answer = await asked
    assert answer.status_code == 200
    assert "unterwegs" not in answer.text
    assert await service.status("n-2") == "sent"


async def test_whoever_decides_at_the_same_time_is_waited_for_or_obeys(service: Service) -> None:
    """The claim holds the person's lock and has not committed: its message cannot be seen yet, and still is not missed."""
    links = await service.sent()
    await service.ask("n-2")
    async with service.open_work() as work:
        jobs, _ = await service.desk.delivery.claim(work, 10)
        asked = asyncio.create_task(service.person.post(links.unsubscribe or "", data=ONE_CLICK))
        await asyncio.wait([asked], timeout=0.2)
        assert not asked.done()
        assert await service.in_force() == []
    await asyncio.wait([asked], timeout=0.2)
    assert not asked.done()
    await service.desk.record(*[await service.desk.delivery.attempt(each) for each in jobs])
    assert (await asked).status_code == 200
    await service.ask("n-3")
    await service.desk.round()
    assert await service.status("n-3") == "suppressed"


async def test_a_retry_of_a_message_is_not_sent_any_more(service: Service) -> None:
    links = await service.sent()
    await service.ask("n-2")
    service.channel.answers = [Answer("deferred", "busy", 450)]
    await service.desk.round()
    await service.person.post(links.unsubscribe or "", data=ONE_CLICK)
    await service.desk.later(hours=1)
    assert await service.status("n-2") == "suppressed"


async def test_a_dead_sender_keeps_nobody_waiting(service: Service) -> None:
    links = await service.sent()
    await service.ask("n-2")
    await service.desk.claim()
    service.desk.clock.advance(timedelta(minutes=3))
    assert (await service.person.post(links.unsubscribe or "", data=ONE_CLICK)).status_code == 200


async def test_an_answer_that_cannot_wait_longer_says_so(service: Service) -> None:
    links = await service.sent()
    await service.ask("n-2")
    await service.desk.claim()
    answer = await service.person.post(links.unsubscribe or "", data=ONE_CLICK)
    assert answer.status_code == 200
    assert "unterwegs" in answer.text
    assert await service.in_force() == [("expansion", "unsubscribed")]


# ---- preferences


async def test_preferences_show_what_is_so(service: Service) -> None:
    links = await service.sent(category="webinars")
    page = (await service.person.get(links.preferences or "", headers={"Accept-Language": "en"})).text
    assert [
        page.count(f'name="wanted" value="{each}" checked') for each in ("adoption", "expansion", "webinars")
    ] == [1, 1, 1]
    assert "Webinars" in page
    await service.person.post(links.unsubscribe or "", data=ONE_CLICK)
    page = (await service.person.get(links.preferences or "")).text
    assert 'name="wanted" value="webinars">' in page
    assert 'name="wanted" value="webinars" checked' not in page


async def test_what_is_switched_off_is_refused_and_what_is_switched_on_is_lifted(service: Service) -> None:
    links = await service.sent()
    shown = ["adoption", "expansion", "feedback", "relationship"]
    first = await service.person.post(
        links.preferences or "", data={"shown": shown, "wanted": ["adoption", "feedback"]}
    )
    assert "Gespeichert" in first.text
    assert await service.in_force() == [("expansion", "unsubscribed"), ("relationship", "unsubscribed")]
    await service.person.post(links.preferences or "", data={"shown": shown, "wanted": [*shown[:3]]})
    assert await service.in_force() == [("relationship", "unsubscribed")]
    told = [(each["status"], each["answer"]) for each in await service.facts("delivered")]
    assert told == [
        ("unsubscribed", "expansion"),
        ("unsubscribed", "relationship"),
        ("resubscribed", "expansion"),
    ]


async def test_nothing_at_all_is_everything_and_can_be_taken_back(service: Service) -> None:
    links = await service.sent()
    shown = {"shown": ["adoption", "expansion"], "wanted": ["adoption", "expansion"]}
    page = await service.person.post(links.preferences or "", data={**shown, "nothing": "yes"})
    assert 'name="nothing" value="yes" checked' in page.text
    assert await service.in_force() == [(None, "unsubscribed")]
    await service.ask("n-2", category="feedback")
    await service.desk.round()
    assert await service.status("n-2") == "suppressed"
    await service.person.post(links.preferences or "", data=shown)
    assert await service.in_force() == []
    told = [(each["status"], each["answer"]) for each in await service.facts("delivered", "suppressed")]
    assert told == [("unsubscribed", "everything"), ("resubscribed", "everything")]


async def test_a_change_of_mind_is_told_each_time_under_an_id_of_its_own(service: Service) -> None:
    links = await service.sent()
    on, off = {"shown": ["expansion"], "wanted": ["expansion"]}, {"shown": ["expansion"]}
    for form in (off, on, off, on):
        await service.person.post(links.preferences or "", data=form)
    async with service.desk.engine.connect() as connection:
        values = await connection.scalars(text("SELECT convert_from(value, 'utf8')::json->>'id' FROM outbox"))
    ids = list(values)
    assert len(set(ids)) == len(ids) == 5


async def test_a_form_without_any_category_changes_nothing(service: Service) -> None:
    links = await service.sent()
    await service.person.post(links.preferences or "", data={"shown": ["expansion"], "nothing": "yes"})
    before = await service.in_force()
    for form in ({}, ONE_CLICK, {"wanted": ["expansion"]}):
        assert (await service.person.post(links.preferences or "", data=form)).status_code == 200
    assert await service.in_force() == before


async def test_nobody_makes_categories_up(service: Service) -> None:
    links = await service.sent()
    await service.person.post(links.preferences or "", data={"shown": ["made up", "<script>", "expansion"]})
    assert await service.in_force() == [("expansion", "unsubscribed")]


async def test_a_person_lifts_their_own_word_and_no_other(service: Service) -> None:
    links = await service.sent()
    bounced = Suppression(id="s-1", person=PERSON, category=None, reason="hard_bounce", since=START)
    async with service.open_work() as work:
        await work.suppressions.add(
            [bounced, replace(bounced, id="s-2", reason="unsubscribed", category="expansion")]
        )
    page = await service.person.post(
        links.preferences or "", data={"shown": ["expansion"], "wanted": ["expansion"]}
    )
    assert await service.in_force() == [(None, "hard_bounce")]
    assert "anderen Grund" in page.text


async def test_an_old_link_does_not_open_the_preferences_and_still_unsubscribes(service: Service) -> None:
    links = await service.sent()
    service.desk.clock.advance(timedelta(days=401))
    assert (await service.person.get(links.preferences or "")).status_code == 404
    assert (await service.person.post(links.unsubscribe or "", data=ONE_CLICK)).status_code == 200
