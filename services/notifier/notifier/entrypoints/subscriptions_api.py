"""/v1/subscriptions: who is told of changes of health by signed webhooks, and what became of each message."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Response
from msgspec import Meta

from csm_common.errors import InvalidError
from csm_common.web.auth import require
from csm_common.web.documents import example_of
from csm_common.web.pages import decode_cursor, encode_cursor
from notifier.application.feed_desk import FeedDesk, Rotated, Tried
from notifier.application.feed_ports import DeliveryDetail, DeliveryView, SubscriptionView
from notifier.domain.notification import Status
from notifier.entrypoints import subscriptions_examples as examples
from notifier.entrypoints.subscriptions_bodies import (
    Disabling,
    Enabling,
    NewSubscription,
    Rotation,
    SubscriptionChange,
)

_NO_NUL = r"^[^\x00]*$"
Id = Annotated[str, Path(max_length=100, pattern=_NO_NUL, description="The subscription's id.")]
DeliveryId = Annotated[str, Path(max_length=100, pattern=_NO_NUL)]
Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]
IfMatch = Annotated[str | None, Header(description="The ETag of what was read: 412 if it was changed since.")]
_Time = Annotated[datetime, Meta(tz=True)]
_Text = Annotated[str, Meta(pattern=_NO_NUL)]

Reader = Depends(require("notifications:read"))
Writer = Depends(require("subscriptions:write"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedSubscription(SubscriptionView):
    """A new subscription with its secret, which no other answer tells."""

    secret: str


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    """Some subscriptions, newest first; `next_cursor` is None at the end."""

    subscriptions: Sequence[SubscriptionView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, newest first; `next_cursor` is None at the end."""

    deliveries: Sequence[DeliveryView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many deliveries are sent again, at a limited rate."""

    replayed: int


def subscription_routes(desk: FeedDesk) -> APIRouter:
    """The routes under /v1/subscriptions."""
    router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])
    _add_subscriptions(router, desk)
    _add_actions(router, desk)
    _add_deliveries(router, desk)
    return router


def _add_subscriptions(router: APIRouter, desk: FeedDesk) -> None:
    @router.post(
        "",
        status_code=201,
        dependencies=[Writer],
        summary="Be told of changes of health; the answer has the secret that signs, this once",
        description="`callbacks` shows what is posted. Where the URL or a filter is wrong, `errors` tells the place.",
        responses=_example(examples.CREATED, 201),
        openapi_extra=_callbacks(),
    )
    async def create(
        body: Annotated[NewSubscription, Body(examples=[examples.NEW])], response: Response
    ) -> CreatedSubscription:
        view, secret = await desk.create(body.name, body.url, body.wants())
        response.headers["etag"] = _etag(view)
        response.headers["cache-control"] = "no-store"
        return CreatedSubscription(**_fields(view), secret=secret)

    @router.get("", dependencies=[Reader], summary="All subscriptions", responses=_example(examples.PAGE))
    async def subscriptions(limit: Limit = 50, cursor: Cursor = None) -> SubscriptionPage:
        found = await desk.page(_before(cursor), limit + 1)
        items = found[:limit]
        more = len(found) > limit
        return SubscriptionPage(items, encode_cursor(items[-1].created_at, items[-1].id) if more else None)

    @router.get(
        "/{id}", dependencies=[Reader], summary="One subscription", responses=_example(examples.SUBSCRIPTION)
    )
    async def subscription(id: Id, response: Response) -> SubscriptionView:
        view = await desk.find(id)
        response.headers["etag"] = _etag(view)
        return view

    @router.patch(
        "/{id}",
        dependencies=[Writer],
        summary="Change a subscription; with If-Match only as it was read",
        responses={**_example(examples.SUBSCRIPTION), 412: {"description": "It was changed meanwhile."}},
    )
    async def change(
        id: Id, body: SubscriptionChange, response: Response, if_match: IfMatch = None
    ) -> SubscriptionView:
        view = await desk.change(id, _version(if_match), body.draft())
        response.headers["etag"] = _etag(view)
        return view

    @router.delete(
        "/{id}", status_code=204, dependencies=[Writer], summary="Delete a subscription and its deliveries"
    )
    async def delete(id: Id) -> None:
        await desk.delete(id)


def _add_actions(router: APIRouter, desk: FeedDesk) -> None:
    @router.post(
        "/{id}:test",
        dependencies=[Writer],
        summary="Post a test event now, and tell how it was answered",
        responses=_example(examples.TRIED),
    )
    async def test(id: Id) -> Tried:
        return await desk.test(id)

    @router.post(
        "/{id}:rotate",
        dependencies=[Writer],
        summary="A new secret; the old ones sign beside it for a while",
        responses=_example(examples.ROTATED),
    )
    async def rotate(id: Id, response: Response, body: Rotation | None = None) -> Rotated:
        overlap = None if body is None or body.overlap_h is None else timedelta(hours=body.overlap_h)
        response.headers["cache-control"] = "no-store"
        return await desk.rotate(id, overlap)

    @router.post(
        "/{id}:disable",
        dependencies=[Writer],
        summary="Send nothing more; what waits is kept",
        responses=_example(examples.SUBSCRIPTION),
    )
    async def disable(id: Id, body: Disabling | None = None) -> SubscriptionView:
        return await desk.disable(id, (body or Disabling()).reason)

    @router.post(
        "/{id}:enable",
        dependencies=[Writer],
        summary="Go on, and send what waits at a limited rate, or drop it",
        responses=_example(examples.SUBSCRIPTION),
    )
    async def enable(id: Id, body: Enabling | None = None) -> SubscriptionView:
        return await desk.enable(id, (body or Enabling()).waiting)

    @router.post(
        "/{id}:replay",
        dependencies=[Writer],
        summary="Send what failed again, under the same ids, at a limited rate",
        responses=_example({"replayed": 12}),
    )
    async def replay_failed(id: Id) -> Replayed:
        return Replayed(await desk.replay(id, None))


def _add_deliveries(router: APIRouter, desk: FeedDesk) -> None:
    @router.get(
        "/{id}/deliveries",
        dependencies=[Reader],
        summary="The log of deliveries, newest first",
        responses=_example(examples.DELIVERIES),
    )
    async def deliveries(
        id: Id, status: Status | None = None, limit: Limit = 50, cursor: Cursor = None
    ) -> DeliveryPage:
        found = await desk.deliveries(id, status, _before(cursor), limit + 1)
        items = found[:limit]
        more = len(found) > limit
        return DeliveryPage(items, encode_cursor(items[-1].created_at, items[-1].id) if more else None)

    @router.get(
        "/{id}/deliveries/{delivery_id}",
        dependencies=[Reader],
        summary="One delivery: what was sent, and every attempt",
        responses=_example(examples.DETAIL),
    )
    async def delivery(id: Id, delivery_id: DeliveryId) -> DeliveryDetail:
        return await desk.delivery(id, delivery_id)

    @router.post(
        "/{id}/deliveries/{delivery_id}:replay",
        dependencies=[Writer],
        summary="Send one again under the same id",
        responses=_example({"replayed": 1}),
    )
    async def replay(id: Id, delivery_id: DeliveryId) -> Replayed:
        return Replayed(await desk.replay(id, delivery_id))


def _before(cursor: str | None) -> tuple[datetime, str] | None:
    return decode_cursor(cursor, tuple[_Time, _Text]) if cursor else None


def _etag(view: SubscriptionView) -> str:
    return f'"{view.version}"'


def _version(if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    told = if_match.strip().removeprefix("W/").strip('"')
    if not told.isdecimal() or len(told) > 9:
        raise InvalidError('If-Match is not an ETag of ours; send what GET answered, such as "3".')
    return int(told)


def _fields(view: SubscriptionView) -> dict[str, Any]:
    return {each.name: getattr(view, each.name) for each in fields(view)}


def _example(body: dict[str, Any], status: int = 200) -> dict[int | str, dict[str, Any]]:
    return {status: {"content": {"application/json": {"example": example_of(body)}}}}


def _callbacks() -> dict[str, Any]:
    """What is posted to a subscriber, for the OpenAPI document."""
    shown = {name: {"value": example_of(message)} for name, message in examples.MESSAGES.items()}
    post = {
        "summary": "A change of health",
        "description": "Signed as Standard Webhooks have it, with `webhook-id`, `webhook-timestamp` and `webhook-signature`."
        " The id is the same at every attempt. Order is not promised: `data.revision` tells which of two is newer.",
        "requestBody": {"content": {"application/json": {"schema": {"type": "object"}, "examples": shown}}},
        "responses": {
            "2XX": {"description": "Taken."},
            "410": {"description": "Wants no more: the subscription is disabled."},
        },
    }
    return {"callbacks": {"health": {"{$request.body#/url}": {"post": post}}}}
