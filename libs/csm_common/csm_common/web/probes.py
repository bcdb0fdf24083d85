"""/livez, /readyz and /metrics: for supervisors and Prometheus, without a key."""

from collections.abc import Awaitable, Callable

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
