"""A trace that is sampled goes on over Kafka; any other leaves no header behind."""

import pytest
from tests.unit.ingest.door import Door, event

TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize("batch", [False, True])
async def test_a_sampled_trace_goes_on(door: Door, batch: bool) -> None:
    await door.post([event()] if batch else event(), traceparent=f"00-{TRACE}-b7ad6b7169203331-01")

    version, trace_id, _, flags = door.facts[0].headers["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "01")


@pytest.mark.parametrize("headers", [{}, {"traceparent": f"00-{TRACE}-b7ad6b7169203331-00"}])
async def test_nothing_is_carried_of_a_trace_that_is_not_sampled(door: Door, headers: dict[str, str]) -> None:
    await door.post(event(), **headers)

    assert door.facts[0].headers == {}
