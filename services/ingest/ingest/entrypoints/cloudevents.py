"""What the HTTP binding and the webhook specification of CloudEvents ask for, beside structured JSON: events whose attributes
are headers, the handshake before a sender sends, and the key in the query.

An event in binary mode becomes the bytes of one in structured mode, and goes the same way from there.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from csm_common.contracts.envelope import CONTENT_TYPE
from csm_common.errors import InvalidError

RawHeaders = Sequence[tuple[bytes, bytes]]
"""As ASGI has them: names in lower case."""

_PREFIX = b"ce-"
_REQUIRED = frozenset({b"ce-specversion", b"ce-id", b"ce-source", b"ce-type"})
_STRUCTURED = "application/cloudevents"
_MOSTLY = (b"content-type", CONTENT_TYPE.encode())
_BOOLEANS = {"true": True, "false": False}
_JSON_TYPES = ("application/json", "text/json")
_CHARSETS = ("", "utf-8", "us-ascii")
_encode = msgspec.json.Encoder().encode
_whole = msgspec.json.Decoder(msgspec.Raw).decode


def structured(headers: RawHeaders, body: bytes) -> bytes | None:
    """The event in structured mode, None where it is in no binary one. InvalidError where it cannot be told so.

    `body` is the plain one. Where the event is in structured mode already it costs less than a microsecond.
    """
    if _MOSTLY in headers or _REQUIRED.isdisjoint([name for name, _ in headers]):
        return None
    content_type = _content_type(headers)
    if content_type.startswith(_STRUCTURED):
        return None
    event = _attributes(headers)
    if body:
        event |= {"datacontenttype": _json_type(content_type), "data": _data(body)}
    return _encode(event)


def _content_type(headers: RawHeaders) -> str:
    return next(
        (value.decode("latin-1").strip().lower() for name, value in headers if name == b"content-type"), ""
    )


def _attributes(headers: RawHeaders) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for header, value in headers:
        if not header.startswith(_PREFIX):
            continue
        name, told = _name(header), _value(header, value)
        if attributes.setdefault(name, told) != told:
            raise _invalid(f"The header {header.decode()} is there twice, with two values.")
    return attributes


def _name(header: bytes) -> str:
    name = header[len(_PREFIX) :].decode("latin-1")
    if not (name.isascii() and name.isalnum()):
        raise _invalid(f"The header ce-{name} names no attribute: letters and digits are allowed after ce-.")
    if name in ("data", "datacontenttype"):
        raise _invalid(f"There is no header ce-{name}: data is the body, and its type is the Content-Type.")
    return name


def _value(header: bytes, value: bytes) -> str | bool:
    """Decoded as the binding says: double quotes around it are taken off first, then percent-encoding, once."""
    if len(value) > 1 and value.startswith(b'"') and value.endswith(b'"'):
        value = _unescaped(value[1:-1])
    try:
        text = unquote_to_bytes(value).decode()
    except UnicodeDecodeError:
        raise _invalid(
            f"The header {header.decode()} is not UTF-8. Percent-encode what is not ASCII, as UTF-8."
        ) from None
    return _BOOLEANS.get(text, text) if header == b"ce-backfill" else text


def _unescaped(quoted: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", quoted, flags=re.DOTALL)


def _json_type(content_type: str) -> str:
    """The media type of JSON data; JSON is what a body without a type is taken for."""
    media, _, parameters = content_type.partition(";")
    media = media.strip() or "application/json"
    if media not in _JSON_TYPES and not media.endswith("+json"):
        raise _invalid(
            f"The data is {media}: only JSON is taken, such as application/json.", "unsupported_data"
        )
    charset = next(
        (each.partition("=")[2].strip(' "') for each in parameters.split(";") if "charset" in each), ""
    )
    if charset not in _CHARSETS:
        raise _invalid(f"The data is in {charset[:40]}: only UTF-8 is taken.", "unsupported_data")
    return media


def _data(body: bytes) -> msgspec.Raw:
    """The body, if it is one JSON value: it goes between others."""
    try:
        return _whole(body)
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise _invalid(f"The body is not JSON: {error}.", "invalid_json") from error
    except RecursionError as error:
        raise _invalid("The body is nested too deep.", "too_deep") from error


def _invalid(message: str, code: str = "invalid_header") -> InvalidError:
    return InvalidError(message, code=code)


def query_token(query: bytes) -> str | None:
    """The key that a sender puts into the query, `?access_token=csm_…`, where it cannot set headers.

    >>> query_token(b"access_token=csm_1.2"), query_token(b"")
    ('csm_1.2', None)
    """
    if b"access_token=" not in query:
        return None
    return next(iter(parse_qs(query.decode("latin-1")).get("access_token", [])), None)


class Handshake:
    """`OPTIONS`: whether a sender may send here, asked by the CloudEvents webhook specification before the first event.

    Anyone may, since each event needs a key. `per_minute` is how many requests a key may make; no callback is ever called.
    """

    def __init__(self, per_minute: int | None = None) -> None:
        self._per_minute = per_minute

    async def __call__(self, request: Request) -> Response:
        """The answer: the origin is allowed, at the rate it asks for as far as there is one to give."""
        headers = {"Allow": "OPTIONS, POST"}
        origin = request.headers.get("webhook-request-origin")
        if origin:
            headers["WebHook-Allowed-Origin"] = origin
            headers["WebHook-Allowed-Rate"] = self._rate(request.headers.get("webhook-request-rate", ""))
        return Response(headers=headers)

    def _rate(self, asked: str) -> str:
        if self._per_minute is None:
            return "*"
        wanted = int(asked) if asked.isdecimal() and len(asked) < 10 else self._per_minute
        return str(max(1, min(wanted, self._per_minute)))
