"""Traces cross Kafka in one header, and only those that somebody will look at."""

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from csm_common.telemetry.tracing import current_traceparent, remote_context


def tracer(sampler: Sampler) -> trace.Tracer:
    """A tracer of its own provider."""
    return TracerProvider(sampler=sampler).get_tracer("test")


def test_a_sampled_trace_goes_on_behind_the_header() -> None:
    with tracer(ALWAYS_ON).start_as_current_span("here") as here:
        header = current_traceparent()
    continued = trace.get_current_span(remote_context(header)).get_span_context()
    assert continued.is_remote
    assert (continued.trace_id, continued.span_id) == (
        here.get_span_context().trace_id,
        here.get_span_context().span_id,
    )


def test_a_trace_that_is_not_sampled_sends_no_header() -> None:
    with tracer(ALWAYS_OFF).start_as_current_span("here"):
        assert current_traceparent() is None
    assert current_traceparent() is None


@pytest.mark.parametrize("header", [None, "", "nonsense", "00-zz-yy-01"])
def test_without_a_valid_header_a_new_trace_begins(header: str | None) -> None:
    context = trace.get_current_span(remote_context(header)).get_span_context()
    assert not context.is_valid
