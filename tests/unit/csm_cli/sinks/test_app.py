"""Webhooks are answered, kept as they came, and bounded in number."""

import httpx

from csm_cli.sinks.app import create_app
from csm_cli.sinks.mailbox import Mailbox


def client(kept: int = 10) -> httpx.AsyncClient:
    app = create_app(Mailbox(), kept)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://sinks")


async def test_a_webhook_is_kept_byte_for_byte_with_its_headers() -> None:
    async with client() as sinks:
        answer = await sinks.post("/webhooks/slack/1", content='{"a":  "ü"}', headers={"webhook-id": "msg_1"})

        assert answer.status_code == 200
        [webhook] = (await sinks.get("/webhooks")).json()
        assert webhook["path"] == "/webhooks/slack/1"
        assert webhook["body"] == '{"a":  "ü"}'
        assert webhook["headers"]["webhook-id"] == "msg_1"
        assert webhook["received_at"]


async def test_the_oldest_webhooks_give_way_and_all_can_be_emptied() -> None:
    async with client(kept=2) as sinks:
        for number in range(3):
            await sinks.post("/webhooks", content=str(number))

        assert [each["body"] for each in (await sinks.get("/webhooks")).json()] == ["1", "2"]
        assert (await sinks.delete("/webhooks")).status_code == 204
        assert (await sinks.get("/webhooks")).json() == []


async def test_the_sinks_say_that_they_live() -> None:
    async with client() as sinks:
        assert (await sinks.get("/livez")).status_code == 200
