"""ETags: a client that has an answer already is told so in 304, without the body (RFC 9110, 8.8.3 and 13.1.2)."""

import hashlib

from starlette.requests import Request
from starlette.responses import Response


def etag_of(body: bytes, *, weak: bool = False) -> str:
    """The tag of a body; weak where answers of equal meaning may differ in bytes that `body` leaves out."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    return f"W/{tag}" if weak else tag


def conditional(request: Request, response: Response, tag: str) -> Response:
    """The response with its tag, or 304 where the request names the tag it has already."""
    headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache",
    }  # may be kept, but is to be asked for each time
    if _named(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    response.headers.update(headers)
    return response


def _named(header: str, tag: str) -> bool:
    """By weak comparison, which If-None-Match demands."""
    told = {each.strip().removeprefix("W/") for each in header.split(",")}
    return "*" in told or tag.removeprefix("W/") in told
