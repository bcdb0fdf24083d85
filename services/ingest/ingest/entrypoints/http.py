"""All HTTP doors of the service as one app."""

from collections.abc import Mapping

from starlette.types import ASGIApp

from csm_common.clock import Clock
from csm_common.web.auth import Authenticator
from csm_common.web.factory import create_web_app
from csm_common.web.probes import Check
from ingest.application.budget import Budget
from ingest.application.handlers import Handlers, Reads
from ingest.application.limiter import Limiter
from ingest.application.webhooks.connections import Connection
from ingest.entrypoints.api import PATH, EventsEndpoint, HotRoute
from ingest.entrypoints.bodies import Bodies
from ingest.entrypoints.cloudevents import Handshake
from ingest.entrypoints.erasure import erasure_routes
from ingest.entrypoints.imports import import_routes
from ingest.entrypoints.openapi import document_events
from ingest.entrypoints.rejections import rejection_routes
from ingest.entrypoints.sdk import SdkDoor, sdk_routes
from ingest.entrypoints.sdk_openapi import document_sdk
from ingest.entrypoints.sources import source_routes
from ingest.entrypoints.webhooks import webhook_routes
from ingest.settings import IngestSettings


def create_app(
    settings: IngestSettings,
    handlers: Handlers,
    reads: Reads,
    *,
    authenticator: Authenticator,
    clock: Clock,
    connections: Mapping[str, Connection],
    ready: dict[str, Check],
) -> ASGIApp:
    """The app over the use cases."""
    limits = settings.ingest
    bodies = Bodies(limit=settings.http.max_body_bytes, deadline_s=limits.body_deadline_s)
    budget, limiter = Budget(limits.max_bytes_in_flight), Limiter(limits.events_per_s)
    app = create_web_app(
        title="ingest",
        description="Takes facts about customers, and answers once they are durable.",
        authenticator=authenticator,
        routers=[
            webhook_routes(connections, handlers.intake, bodies, budget, clock),
            import_routes(handlers.importing, reads.jobs, budget, clock, idle_s=limits.imports.idle_s),
            rejection_routes(reads.rejections, handlers.replay, clock),
            source_routes(reads.sources, clock),
            erasure_routes(handlers.erase),
        ],
        ready=ready,
        alive={},
    )
    sdk = SdkDoor(
        intake=handlers.intake,
        bodies=bodies,
        budget=budget,
        authenticator=authenticator,
        limiter=limiter,
        clock=clock,
    )
    app.router.routes.extend(sdk_routes(sdk))
    document_events(app)
    document_sdk(app)
    handshake = Handshake(limits.events_per_s * 60)
    endpoint = EventsEndpoint(handlers.accept, bodies, budget, authenticator, limiter, handshake)
    return HotRoute(app, PATH, endpoint)
