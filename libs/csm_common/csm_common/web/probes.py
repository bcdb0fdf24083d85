"""/livez, /readyz and /metrics: for supervisors and Prometheus, without a key."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Check = Callable[[], Awaitable[str | None]]
"""None when all is well, else one sentence."""


def probe_routes(*, ready: dict[str, Check], alive: dict[str, Check]) -> list[Route]:
    """Routes that answer 200, or 503 with the sentences of the checks that fail."""

    def answer(checks: dict[str, Check]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(_: Request) -> Response:
            problems = {
                name: sentence for name, check in checks.items() if (sentence := await check()) is not None
            }
            return JSONResponse(
                {"status": "unavailable" if problems else "ok", "problems": problems},
                status_code=503 if problems else 200,
            )

        return endpoint

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", answer(alive)), Route("/readyz", answer(ready)), Route("/metrics", metrics)]


class Watched(Protocol):
    """A loop that can tell how it is: the exactly-once consumer."""

    def problem(self) -> str | None:
        """Why it is not healthy, in a sentence."""
        ...

    def stalled_for(self) -> float:
        """Seconds since it last came round."""
        ...


def consumer_checks(
    consumer: Watched, *, patience_s: float = 60.0
) -> tuple[dict[str, Check], dict[str, Check]]:
    """Readiness (it has partitions and works) and liveness (it comes round: progress, not just a task that exists)."""

    async def ready() -> str | None:
        return consumer.problem()

    async def alive() -> str | None:
        stalled = consumer.stalled_for()
        return f"The consumer has not come round for {stalled:.0f} s." if stalled > patience_s else None

    return {"consumer": ready}, {"consumer": alive}
