"""The doors for people who got a message: unsubscribing (RFC 8058), preferences, links and pictures that tell of clicks and
opens.

No API key opens them: the token in the address says who it is, and only for what it was made.
"""

import base64
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Protocol
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from csm_common.clock import Clock
from csm_common.errors import InvalidError
from csm_common.web.body import read_body
from notifier.application.handlers.responding import clicked, opened
from notifier.application.handlers.suppressing import choose, obeyed, suppressed, unsubscribe
from notifier.application.ports import OpenWork, Work
from notifier.application.responses import Claims, LinkReader, Purpose

_PATIENCE = timedelta(seconds=5)
_LINK_LASTS = timedelta(days=1)
_LARGEST_FORM = 16 * 1024
_MOST_FIELDS = 400
_PICTURE = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PRIVATE = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


class Pages(Protocol):
    """The pages people see."""

    @property
    def categories(self) -> Sequence[str]:
        """Those that people can choose from."""
        ...

    @property
    def content_policy(self) -> str:
        """The pages' Content-Security-Policy."""
        ...

    def language(self, accepted: str, known: str | None) -> str:
        """The language for somebody with this Accept-Language, or of whom this one is known."""
        ...

    def title(self, category: str, language: str) -> str:
        """What people call a category."""
        ...

    def render(self, page: str, language: str, **values: Any) -> str:
        """The page as HTML."""
        ...


class _Desk:
    """What all of these routes need; `told` is called after a commit that told of something."""

    def __init__(
        self, open_work: OpenWork, links: LinkReader, pages: Pages, clock: Clock, told: Callable[[], None]
    ) -> None:
        self.open_work = open_work
        self.links = links
        self.pages = pages
        self.clock = clock
        self.told = told

    def answer(
        self, request: Request, page: str, known: str | None, status: int = 200, **values: Any
    ) -> Response:
        """A page in the reader's language."""
        language = self.language(request, known)
        headers = {
            **_PRIVATE,
            "Content-Security-Policy": self.pages.content_policy,
            "Content-Language": language,
        }
        return HTMLResponse(self.pages.render(page, language, **values), status, headers)

    def invalid(self, request: Request) -> Response:
        """For any token that is not ours, or not for this: the same page, whatever is wrong with it."""
        return self.answer(request, "invalid", None, 404)

    def language(self, request: Request, known: str | None) -> str:
        """The reader's."""
        return self.pages.language(request.headers.get("accept-language", ""), known)

    def person(self, token: str, purpose: Purpose) -> Claims | None:
        """What a token says that is about a person."""
        claims = self.links.read(token, purpose)
        return claims if claims is not None and claims.person is not None else None

    async def done(self, claims: Claims, change: Callable[[Work], Any]) -> bool:
        """Make the change, and wait until nothing that began before is on its way; False where something still is."""
        async with self.open_work() as work:
            await change(work)
        self.told()
        return await obeyed(self.open_work, claims.person or "", self.clock, _PATIENCE)


def public_routes(
    open_work: OpenWork,
    links: LinkReader,
    pages: Pages,
    clock: Clock,
    told: Callable[[], None] = lambda: None,
) -> APIRouter:
    """/v1/unsubscribe, /v1/preferences, /v1/c and /v1/o."""
    router = APIRouter(prefix="/v1", tags=["public"])
    desk = _Desk(open_work, links, pages, clock, told)
    _add_unsubscribing(router, desk)
    _add_preferences(router, desk)
    _add_marks(router, desk)
    return router


def _add_unsubscribing(router: APIRouter, desk: _Desk) -> None:
    def shown(request: Request, claims: Claims, page: str, **values: Any) -> Response:
        language = desk.language(request, claims.language)
        title = desk.pages.title(claims.category or "", language)
        link = desk.links.sign(claims, "preferences", desk.clock.now() + _LINK_LASTS)
        return desk.answer(request, page, claims.language, category=title, preferences=link, **values)

    @router.head("/unsubscribe/{token}", include_in_schema=False)
    @router.get("/unsubscribe/{token}", summary="Ask whether to unsubscribe", response_class=HTMLResponse)
    async def ask(token: str, request: Request) -> Response:
        """A page with one button. It changes nothing: mail scanners and previews follow links, too."""
        claims = desk.person(token, "unsubscribe")
        return shown(request, claims, "unsubscribe") if claims else desk.invalid(request)

    @router.post(
        "/unsubscribe/{token}", summary="Unsubscribe, at once (RFC 8058)", response_class=HTMLResponse
    )
    async def obey(token: str, request: Request) -> Response:
        """No more of the message's category. The answer comes when nothing that began before is on its way any more."""
        await read_body(request, _LARGEST_FORM)  # whatever it says: nobody comes here by POST by mistake
        claims = desk.person(token, "unsubscribe")
        if claims is None:
            return desk.invalid(request)
        quiet = await desk.done(claims, lambda work: unsubscribe(work, claims, desk.clock.now()))
        return shown(request, claims, "unsubscribed", under_way=not quiet)


def _add_preferences(router: APIRouter, desk: _Desk) -> None:
    async def shown(
        request: Request, claims: Claims, *, saved: bool = False, under_way: bool = False
    ) -> Response:
        async with desk.open_work() as work:
            found = await suppressed(work, claims.person or "")
        refused = {each.category for each in found if each.reason == "unsubscribed"}
        language = desk.language(request, claims.language)
        return desk.answer(
            request,
            "preferences",
            claims.language,
            categories=[
                {"name": each, "title": desk.pages.title(each, language), "wanted": each not in refused}
                for each in _choices(desk, claims, refused)
            ],
            nothing=None in refused,
            stopped=any(each.reason != "unsubscribed" for each in found),
            saved=saved,
            under_way=under_way,
        )

    @router.head("/preferences/{token}", include_in_schema=False)
    @router.get(
        "/preferences/{token}", summary="What a person wants to hear about", response_class=HTMLResponse
    )
    async def look(token: str, request: Request) -> Response:
        """Categories with switches, and “nothing at all”."""
        claims = desk.person(token, "preferences")
        return await shown(request, claims) if claims else desk.invalid(request)

    @router.post("/preferences/{token}", summary="Say what to hear about", response_class=HTMLResponse)
    async def save(token: str, request: Request) -> Response:
        """A form with `shown` and `wanted` for categories, and `nothing`. What a person had said no to is lifted where wanted."""
        form = await _form(request)
        claims = desk.person(token, "preferences")
        if claims is None:
            return desk.invalid(request)
        if "shown" not in form:
            return await shown(request, claims)

        async def change(work: Work) -> None:
            refused = {each.category for each in await suppressed(work, claims.person or "")}
            known = set(_choices(desk, claims, refused)) & set(form.get("shown", []))
            wanted: dict[str | None, bool] = {each: each in form.get("wanted", []) for each in sorted(known)}
            wanted[None] = "nothing" not in form
            await choose(work, claims, wanted, desk.clock.now())

        quiet = await desk.done(claims, change)
        return await shown(request, claims, saved=True, under_way=not quiet)


def _add_marks(router: APIRouter, desk: _Desk) -> None:
    @router.head("/c/{token}", include_in_schema=False)
    @router.get("/c/{token}", summary="Follow a link of a message", status_code=302)
    async def click(token: str, request: Request) -> Response:
        """On to the address inside the token, and to no other."""
        claims = desk.links.read(token, "click")
        if claims is None or claims.url is None:
            return desk.invalid(request)
        if request.method == "GET":
            async with desk.open_work() as work:
                new = await clicked(work, claims, desk.clock.now())
            if new:
                desk.told()
        return RedirectResponse(claims.url, 302, _PRIVATE)

    @router.head("/o/{token}.gif", include_in_schema=False)
    @router.get("/o/{token}.gif", summary="The picture that tells of an open", response_class=Response)
    async def picture(token: str, request: Request) -> Response:
        """A dot that nobody sees; the same for any token."""
        claims = desk.links.read(token, "open")
        if claims is not None and request.method == "GET":
            async with desk.open_work() as work:
                new = await opened(work, claims, desk.clock.now())
            if new:
                desk.told()
        return Response(_PICTURE, media_type="image/gif", headers=_PRIVATE)


def _choices(desk: _Desk, claims: Claims, refused: set[str | None]) -> list[str]:
    """Those that are known, the message's own, and whatever the person has said no to."""
    own = {claims.category} if claims.category else set()
    others = (own | {each for each in refused if each is not None}) - set(desk.pages.categories)
    return [*desk.pages.categories, *sorted(others)]


async def _form(request: Request) -> dict[str, list[str]]:
    """The fields of a form of bounded size."""
    body = await read_body(request, _LARGEST_FORM)
    try:
        return parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise InvalidError(f"A form here has at most {_MOST_FIELDS} fields.") from error
