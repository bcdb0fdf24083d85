"""Carrying a trace across Kafka and the outbox: W3C `traceparent` in one header, only when the trace is sampled."""

from opentelemetry import context, propagate, trace
from opentelemetry.sdk.trace import TracerProvider

tracer = trace.get_tracer("csm")


class _State:
    """Whether spans go anywhere in this process; asking OpenTelemetry costs more than a span that goes nowhere."""

    on = False


def start(provider: TracerProvider) -> None:
    """Spans go to `provider` from now on."""
    trace.set_tracer_provider(provider)
    _State.on = True


def is_on() -> bool:
    """Whether spans go anywhere."""
    return _State.on


def current_traceparent() -> str | None:
    """The traceparent of the current span, or None when it is not sampled (an unsampled header is dead weight)."""
    if not trace.get_current_span().get_span_context().trace_flags.sampled:
        return None
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return carrier.get("traceparent")


def remote_context(traceparent: str | None) -> context.Context:
    """The context to continue a trace that came in with a record or a request."""
    return propagate.extract({"traceparent": traceparent} if traceparent else {})
