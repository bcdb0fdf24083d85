"""A span and a duration for every request, as plain ASGI: the hot routes cannot afford a heavier middleware."""

import time
from typing import Any

from opentelemetry.trace import SpanKind
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from csm_common.telemetry import metrics
from csm_common.telemetry.tracing import remote_context, tracer

_QUIET = ("/livez", "/readyz", "/metrics")


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

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = time.perf_counter()
        parent = remote_context(_header(scope, b"traceparent"))
        with tracer.start_as_current_span(scope["method"], context=parent, kind=SpanKind.SERVER) as span:
            try:
                await self._app(scope, receive, send_and_note)
            finally:
                attributes = _attributes(scope, status)
                if span.is_recording():
                    span.update_name(f"{scope['method']} {attributes['http.route']}")
                    span.set_attributes(attributes)
                metrics.http_duration.record(time.perf_counter() - began, attributes)


def _attributes(scope: Scope, status: int) -> dict[str, Any]:
    route = scope.get("route")
    return {
        "http.request.method": scope["method"],
        "http.route": getattr(route, "path", "unmatched"),
        "http.response.status_code": status,
    }


def _header(scope: Scope, name: bytes) -> str | None:
    for key, value in scope["headers"]:
        if key == name:
            return str(value.decode("latin-1"))
    return None
