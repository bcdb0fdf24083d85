"""Templates over HTTP: read, written, put in force, looked at and sent to oneself."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.notifier.templates.conftest import Doors
from tests.support.clock import START, ManualClock
from tests.unit.notifier.builders import CONTEXT, a_notification
from tests.unit.notifier.templates.pressing import SHIPPED, TEMPLATES, told

from notifier.adapters.templates.catalogue import Catalogue
from notifier.adapters.templates.parts import TemplateParts
from notifier.adapters.work import work_on
from notifier.application.template_ports import Written
from notifier.domain.delivery import Answer

MINE = """\
name: check_in
title: Mine
locales:
  en:
    subject: "Mine for {{ account.name }}"
    text: Hello.  # mine
"""


async def created(doors: Doors, document: str = MINE, **query: Any) -> dict[str, Any]:
    answer = await doors.http.post("/v1/templates", content=document, params=query)
    assert answer.status_code in (200, 201), answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_what_is_shipped_is_in_force_from_the_start(doors: Doors) -> None:
    rows = (await doors.reader.get("/v1/templates")).json()["templates"]
    assert [each["name"] for each in rows] == sorted(SHIPPED)
    assert all(
        each["active_version"] == each["newest_version"] == 1 and each["origin"] == "file" for each in rows
    )
    words = await doors.parts.renderer.render("account_at_risk", "de", told(CONTEXT))
    assert words.subject.startswith("Acme ist gefährdet")


async def test_one_is_read_as_json_or_yaml_and_not_sent_again(doors: Doors) -> None:
    found = await doors.reader.get("/v1/templates/check_in")
    assert found.json()["template"] == SHIPPED["check_in"]
    again = await doors.reader.get("/v1/templates/check_in", headers={"If-None-Match": found.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    file = await doors.reader.get("/v1/templates/check_in", params={"format": "yaml"})
    assert file.text.startswith("name: check_in\n")
    assert (await doors.reader.get("/v1/templates/schema")).json()["$id"] == "urn:csm:message-template:1"
    assert (await doors.reader.get("/v1/templates/nothing")).status_code == 404


async def test_a_version_is_written_compared_and_put_in_force(doors: Doors) -> None:
    assert await created(doors, note="shorter") == {"name": "check_in", "version": 2, "created": True}
    assert await created(doors, note="again") == {"name": "check_in", "version": 2, "created": False}
    assert (await doors.parts.renderer.render("check_in", "en", told({}))).text.startswith("Hello,")
    diff = (await doors.reader.get("/v1/templates/check_in/diff?from=1&to=2")).json()["text"]
    assert "-title: Asking a customer who uses the product less" in diff
    assert "+    text: Hello.  # mine" in diff
    done = await doors.http.post("/v1/templates/check_in:activate", json={"version": 2, "note": "better"})
    assert done.json() == {"name": "check_in", "version": 2, "changed": True, "before": 1}
    assert (await doors.parts.renderer.render("check_in", "en", told({}))).subject == "Mine for acme"
    versions = (await doors.reader.get("/v1/templates/check_in/versions")).json()["versions"]
    assert [(each["active"], each["origin"], each["author"], each["note"]) for each in versions] == [
        (False, "file", "system", "shipped"),
        (True, "rest", "key:console", "shorter"),
    ]
    assert (
        await doors.reader.get("/v1/templates/check_in/versions/2", params={"format": "yaml"})
    ).text == MINE


async def test_other_processes_see_an_activation_by_the_counter(doors: Doors, engine: AsyncEngine) -> None:
    other = Catalogue(engine)
    await other.refresh()
    before, documents = other.generation, other.documents
    await other.refresh()
    assert other.documents is documents
    await created(doors)
    await doors.http.post("/v1/templates/check_in:activate", json={"version": 2})
    await other.refresh()
    assert other.generation == before + 1
    assert {each["name"]: each["title"] for each in other.documents}["check_in"] == "Mine"


async def test_a_start_never_overrides_what_a_person_activated(doors: Doors, engine: AsyncEngine) -> None:
    await created(doors)
    await doors.http.post("/v1/templates/check_in:activate", json={"version": 2})
    again = TemplateParts(engine, ManualClock(), work_on(engine), {})
    await again.start()
    assert (await again.templating.version("check_in")).version == 2
    await doors.http.post("/v1/templates/check_in:activate", json={"version": 1, "note": "back"})
    await again.start()
    assert (await again.templating.version("check_in")).version == 1
    assert (await again.templating.version("digest")).version == 1


async def test_a_new_release_puts_its_own_in_force_where_nobody_did(doors: Doors) -> None:
    written = await doors.parts.templating.version("check_in")
    document = {**written.document, "title": "Next release"}
    new = await doors.parts.templating.ship([Written(document, "name: check_in")])
    assert new == [("check_in", 2)]
    kept = {each.name for each in await doors.parts.templating.all() if each.active}
    assert kept == {"check_in"}


async def test_every_mistake_is_told_with_its_place(doors: Doors) -> None:
    broken = MINE.replace("account.name", "account.nmae").replace(
        "text: Hello.", "text: '{{ ''.__class__.__mro__ }}'"
    )
    checked = (await doors.reader.post("/v1/templates:validate", content=broken)).json()
    assert checked["valid"] is False
    assert checked["mistakes"][0] == {
        "line": 5, "column": 35, "member": "locales.en.subject",
        "message": "there is no field account.nmae; did you mean name?",
    }  # fmt: skip
    answer = await doors.http.post("/v1/templates", content=broken)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_template")
    assert answer.json()["errors"] == checked["mistakes"]
    hangs = MINE.replace("text: Hello.", "text: '{{ 9 ** (9 ** 9) }}'")
    told_why = (await doors.reader.post("/v1/templates:validate", content=hangs)).json()["mistakes"][0][
        "message"
    ]
    assert told_why == "it cannot be tried: it takes longer than 2 s"
    assert (await doors.reader.post("/v1/templates:validate", content=MINE)).json()["valid"] is True


async def test_a_document_is_sent_to_its_own_name(doors: Doors) -> None:
    answer = await doors.http.post("/v1/templates/digest/versions", content=MINE)
    assert "of check_in, not digest" in answer.json()["message"]
    partial = "kind: partial\nname: check_in\ntitle: x\nlocales: {en: {}}\n"
    assert (
        "check_in is a template"
        in (await doors.http.post("/v1/templates", content=partial)).json()["message"]
    )
    assert (await doors.http.post("/v1/templates", content=b"\xff")).json()["code"] == "not_utf8"


async def test_all_templates_are_previewed_in_both_languages(doors: Doors) -> None:
    for name in TEMPLATES:
        for locale in ("en", "de"):
            answer = await doors.reader.post(f"/v1/templates/{name}:preview", json={"locale": locale})
            assert answer.status_code == 200
            assert "None" not in answer.json()["text"]


async def test_a_preview_shows_a_page_a_context_a_version_or_a_notification(
    doors: Doors, engine: AsyncEngine
) -> None:
    path = "/v1/templates/check_in:preview"
    page = await doors.reader.post(path, params={"format": "html"})
    assert page.text.startswith("<!doctype html>")
    assert "Example &amp; Sons" in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert (await doors.reader.post(path, params={"format": "text"}, json={"locale": "de"})).text.startswith(
        "Guten Tag"
    )
    body = {"source": MINE, "context": {"account": {"name": "Globex"}}}
    assert (await doors.reader.post(path, json=body)).json()["subject"] == "Mine for Globex"
    await created(doors)
    assert (await doors.reader.post(path, json={"version": 2})).json()["subject"] == "Mine for Example & Sons"
    async with work_on(engine)() as work:
        await work.notifications.add([a_notification()], START)
    seen = await doors.reader.post("/v1/templates/account_at_risk:preview", json={"notification_id": "n-1"})
    assert seen.json()["subject"] == "Acme is at risk: health 44, was 63"
    assert (await doors.reader.post(path, json={"notification_id": "n-9"})).status_code == 404
    assert (await doors.reader.post("/v1/templates/footer:preview")).status_code == 400


async def test_a_test_goes_out_at_once_with_a_mark_and_no_address_is_kept(
    doors: Doors, engine: AsyncEngine
) -> None:
    body = {"to": "ana@example.com", "locale": "de"}
    answer = (await doors.http.post("/v1/templates/check_in:test-send", json=body)).json()
    assert answer["outcome"] == "accepted"
    assert answer["subject"] == "[Test] Funktioniert alles, wie es soll?"
    async with engine.connect() as connection:
        kept = (await connection.execute(text("SELECT kind, status FROM notifications"))).one()
        everything = (
            await connection.scalars(
                text(
                    "SELECT row_to_json(notifications)::text FROM notifications UNION ALL"
                    " SELECT row_to_json(template_audit)::text FROM template_audit"
                )
            )
        ).all()
    assert tuple(kept) == ("test", "sent")
    assert not any("ana@example.com" in each for each in everything)
    assert any('"action":"tested"' in each and answer["notification_id"] in each for each in everything)
    assert (await doors.http.post("/v1/templates/check_in:test-send", json={"to": "ana"})).status_code == 400


async def test_who_may_read_may_not_write_or_send(doors: Doors) -> None:
    assert (await doors.reader.post("/v1/templates", content=MINE)).status_code == 403
    assert (
        await doors.reader.post("/v1/templates/check_in:activate", json={"version": 1})
    ).status_code == 403
    assert (
        await doors.reader.post("/v1/templates/check_in:test-send", json={"to": "a@b.example"})
    ).status_code == 403


async def test_a_refused_test_tells_what_the_server_said(doors: Doors) -> None:
    doors.channel.answers = [Answer("refused", "550 no such user", 550)]
    answer = (
        await doors.http.post("/v1/templates/check_in:test-send", json={"to": "ana@example.com"})
    ).json()
    assert (answer["outcome"], answer["code"], answer["detail"]) == ("refused", 550, "550 no such user")
