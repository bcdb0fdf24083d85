"""The door sends a batch until it is acknowledged or the answer is final, and accounts for every event."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from csm_cli.importing.door import Door, Patience, Refusal
from csm_common.errors import FatalError, PermanentError, TransientError

EVENTS = [b'{"id":"0"}', b'{"id":"1"}', b'{"id":"2"}']
ACCEPTED = httpx.Response(202, json={"accepted": 3, "rejected": 0, "results": []})
Answer = httpx.Response | Exception


class Time:
    """Sleeping passes at once and is written down."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


class Ingest:
    """Answers with what it was given, in order; the last answer repeats."""

    def __init__(self, *answers: Answer | Callable[[list[Any]], httpx.Response]) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)
        return answer(httpx.Response(200, content=request.content).json())


class Visit:
    """One door in front of one ingest."""

    def __init__(
        self, *answers: Answer | Callable[[list[Any]], httpx.Response], total_s: float = 60.0
    ) -> None:
        self.ingest = Ingest(*answers)
        self.time = Time()
        self.told: list[str] = []
        self._total_s = total_s

    async def send(self, events: list[bytes] | None = None) -> list[Refusal]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(self.ingest)) as client:
            door = Door(
                client,
                "http://ingest/",
                "csm_key",
                patience=Patience(total_s=self._total_s),
                waiting=self.told.append,
                sleep=self.time.sleep,
                clock=self.time.clock,
            )
            return await door.send(events or EVENTS)


def problem(status: int, **headers: str) -> httpx.Response:
    return httpx.Response(status, headers=headers, json={"code": "why", "message": "Because."})


async def test_a_batch_goes_to_the_door_with_the_key() -> None:
    visit = Visit(ACCEPTED)
    assert await visit.send() == []
    (request,) = visit.ingest.requests
    assert str(request.url) == "http://ingest/v1/events"
    assert request.headers["content-type"] == "application/cloudevents-batch+json"
    assert request.headers["authorization"] == "Bearer csm_key"
    assert request.content == b'[{"id":"0"},{"id":"1"},{"id":"2"}]'


async def test_refused_events_are_returned_with_code_and_message() -> None:
    results = [{"index": 1, "id": "1", "status": "rejected", "code": "c", "message": "m"}]
    visit = Visit(httpx.Response(202, json={"accepted": 2, "rejected": 1, "results": results}))
    assert await visit.send() == [Refusal(1, "c", "m")]


async def test_a_batch_of_which_nothing_was_taken_is_accounted_for_too() -> None:
    results = [
        {"index": at, "id": str(at), "status": "rejected", "code": "c", "message": "m"} for at in range(3)
    ]
    account = {"accepted": 0, "rejected": 3, "results": results}
    visit = Visit(httpx.Response(400, json={"code": "all_rejected", "message": "None.", **account}))
    assert await visit.send() == [Refusal(at, "c", "m") for at in range(3)]


@pytest.mark.parametrize(
    "failure",
    [
        problem(503),
        problem(500),
        problem(429),
        problem(408),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout(""),
        httpx.RemoteProtocolError("dropped"),
    ],
)
async def test_what_can_pass_is_tried_again(failure: Answer) -> None:
    visit = Visit(failure, failure, ACCEPTED)
    assert await visit.send() == []
    assert len(visit.ingest.requests) == 3
    assert len({each.content for each in visit.ingest.requests}) == 1


async def test_waits_grow_up_to_a_bound_and_the_reason_is_told() -> None:
    visit = Visit(*[problem(503)] * 12, ACCEPTED, total_s=1000)
    await visit.send()
    bounds = [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, *[10.0] * 6]
    assert all(bound / 2 <= wait <= bound for wait, bound in zip(visit.time.waits, bounds, strict=True))
    assert set(visit.told) == {"Ingest at http://ingest/v1/events answered 503 (why: Because)."}


async def test_retry_after_is_honoured() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    visit = Visit(
        problem(503, **{"retry-after": "7"}),
        problem(429, **{"retry-after": in_a_minute}),
        problem(503, **{"retry-after": "soon"}),
        ACCEPTED,
        total_s=1000,
    )
    await visit.send()
    assert visit.time.waits[0] == 7
    assert 50 < visit.time.waits[1] <= 60
    assert visit.time.waits[2] < 1


async def test_patience_ends_with_the_last_reason() -> None:
    with pytest.raises(TransientError, match=r"does not answer: refused\. It was tried for 60 s"):
        await Visit(httpx.ConnectError("refused")).send()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (problem(401), r"answered 401 \(why: Because\)\. Give a valid API key"),
        (problem(403), "needs the scope events:write"),
        (httpx.Response(404, text="<html>"), "answered 404. Check the address"),
        (problem(400), "answered 400"),
        (problem(307, location="http://elsewhere"), "answered 307"),
    ],
)
async def test_a_final_answer_ends_it(answer: httpx.Response, told: str) -> None:
    visit = Visit(answer)
    with pytest.raises(PermanentError, match=told):
        await visit.send()
    assert len(visit.ingest.requests) == 1


async def test_a_batch_that_is_too_large_is_halved_until_it_fits() -> None:
    def two_at_most(events: list[Any]) -> httpx.Response:
        if len(events) > 2:
            return problem(413)
        refused = [
            {"index": at, "code": "c", "message": ""} for at, each in enumerate(events) if each["id"] == "4"
        ]
        counts = {"accepted": len(events) - len(refused), "rejected": len(refused)}
        return httpx.Response(202, json={**counts, "results": refused})

    visit = Visit(two_at_most)
    assert await visit.send([b'{"id":"%d"}' % number for number in range(5)]) == [Refusal(4, "c", "")]


async def test_an_event_that_is_too_large_alone_ends_it() -> None:
    with pytest.raises(PermanentError, match="answered 413"):
        await Visit(problem(413)).send([b"{}"])


@pytest.mark.parametrize(
    "answer",
    [
        {"accepted": 2, "rejected": 0, "results": []},
        {"accepted": 2, "rejected": 1, "results": []},
        {"status": "ok"},
    ],
)
async def test_an_answer_that_does_not_account_for_all_events_is_not_believed(answer: dict[str, Any]) -> None:
    with pytest.raises(FatalError):
        await Visit(httpx.Response(202, json=answer)).send()
