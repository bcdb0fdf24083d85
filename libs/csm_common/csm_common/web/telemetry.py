"""A span and a duration for every request, as plain ASGI: the hot routes cannot afford a heavier middleware."""

import time
from contextlib import nullcontext
from functools import cache
from typing import Any

from opentelemetry.trace import SpanKind, use_span
from prometheus_client import Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from csm_common.telemetry import metrics, tracing
from csm_common.telemetry.tracing import remote_context, tracer

_QUIET = ("/livez", "/readyz", "/metrics")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class TelemetryMiddleware:
    """Continues the caller's trace, names the span after the route, records `http.server.request.duration`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self._app(scope, receive, send)
            return
        status = 500
        method = scope["method"] if scope["method"] in _METHODS else "_OTHER"

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        traceparent = header(scope, b"traceparent")
        if traceparent is None and not tracing.is_on():
            try:
                await self._app(scope, receive, send_and_note)
            finally:
                _duration(method, _route(scope), status).observe(time.perf_counter() - began)
            return
        parent = remote_context(traceparent) if traceparent else None
        span = tracer.start_span(method, context=parent, kind=SpanKind.SERVER)
        # Making a span the current one costs more than starting it: not for one that nobody will ever see.
        visible = traceparent is not None or span.is_recording()
        try:
            with use_span(span) if visible else nullcontext():
                await self._app(scope, receive, send_and_note)
        finally:
            route = _route(scope)
            if span.is_recording():
                span.update_name(f"{method} {route}")
                span.set_attributes(_attributes(method, route, status))
            span.end()
            _duration(method, route, status).observe(time.perf_counter() - began)


@cache
def _duration(method: str, route: str, status: int) -> Histogram:
    return metrics.http_duration.labels(method, route, str(status))


def _attributes(method: str, route: str, status: int) -> dict[str, Any]:
    return {
        "http.request.method": method,
        "http.route": route,
        "http.response.status_code": status,
    }


def _route(scope: Scope) -> str:
    return getattr(scope.get("route"), "path", "unmatched")


def header(scope: Scope, name: bytes) -> str | None:
    """The first header of that name, which is in lower case."""
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None
