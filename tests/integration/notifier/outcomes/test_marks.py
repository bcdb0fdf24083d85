"""Opens and clicks: told once each, and a link leads nowhere but where it led."""

import pytest
from tests.integration.notifier.outcomes.conftest import PUBLIC, Service

from notifier.adapters.links import SignedLinks
from notifier.application.responses import Claims

SHOP = "https://vendor.example/plans?a=1&b=ü#top"


def click(service: Service, url: str = SHOP, number: int = 1, id: str = "n-1") -> str:
    """A marked link."""
    return SignedLinks(service.tokens, PUBLIC, tracking=True).click(id, url, number)


async def told(service: Service) -> list[object]:
    """Statuses."""
    return [each["status"] for each in await service.facts("delivered")]


async def test_a_click_leads_on_and_is_told_once_for_each_link(service: Service) -> None:
    await service.sent()
    for number in (1, 2, 1, 1):
        answer = await service.person.get(click(service, number=number))
        assert answer.status_code == 302
        assert answer.headers["location"] == "https://vendor.example/plans?a=1&b=%C3%BC#top"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert await told(service) == ["clicked", "clicked"]


async def test_an_open_is_told_once(service: Service) -> None:
    await service.sent()
    token = service.tokens.sign(Claims(notification_id="n-1"), "open")
    for _ in range(3):
        answer = await service.person.get(f"/v1/o/{token}.gif")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/gif")
        assert answer.content.startswith(b"GIF89a")
        assert answer.headers["cache-control"] == "no-store"
    assert await told(service) == ["opened"]


async def test_looking_at_the_headers_tells_nothing(service: Service) -> None:
    await service.sent()
    token = service.tokens.sign(Claims(notification_id="n-1"), "open")
    assert (await service.person.head(click(service))).status_code == 302
    assert (await service.person.head(f"/v1/o/{token}.gif")).status_code == 200
    assert await told(service) == []


@pytest.mark.parametrize("token", ["x", "https:%2f%2fevil.example", "%00", "%ff%fe"])
async def test_a_made_up_link_leads_nowhere(service: Service, token: str) -> None:
    answer = await service.person.get(f"/v1/c/{token}", params={"url": "https://evil.example"})
    assert answer.status_code == 404
    assert "location" not in answer.headers
    picture = await service.person.get(f"/v1/o/{token}.gif")
    assert picture.status_code in (200, 404)


async def test_a_token_for_something_else_leads_nowhere(service: Service) -> None:
    await service.sent()
    claims = Claims(notification_id="n-1", url=SHOP)
    for purpose in ("unsubscribe", "open"):
        token = service.tokens.sign(claims, purpose)
        assert (await service.person.get(f"/v1/c/{token}")).status_code == 404
    assert await told(service) == []


async def test_a_message_nobody_knows_any_more_still_leads_on(service: Service) -> None:
    assert (await service.person.get(click(service, id="n-9"))).status_code == 302
    assert await told(service) == []
