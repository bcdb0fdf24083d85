"""The FastAPI app every service starts from."""

from collections.abc import Sequence

from fastapi import APIRouter, FastAPI

from csm_common.web.auth import Authenticator
from csm_common.web.documents import keep_nulls
from csm_common.web.probes import Check, probe_routes
from csm_common.web.problems import install_problem_handlers
from csm_common.web.telemetry import TelemetryMiddleware


def create_web_app(
    *,
    title: str,
    description: str,
    authenticator: Authenticator,
    routers: Sequence[APIRouter],
    ready: dict[str, Check],
    alive: dict[str, Check],
) -> FastAPI:
    """An app with problem documents, probes, telemetry and its OpenAPI at /openapi.json."""
    app = FastAPI(
        title=title,
        description=description,
        version="1",
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # else every request is told of twice
    )
    app.state.authenticator = authenticator
    install_problem_handlers(app)
    app.router.routes.extend(probe_routes(ready=ready, alive=alive))
    for router in routers:
        app.include_router(router)
    keep_nulls(app)
    app.add_middleware(TelemetryMiddleware)
    return app
