"""The four services as processes: what each is started with."""

import json
import os

from csm_cli.stack.child import HOST, Child, answers, python
from csm_cli.stack.options import Options
from csm_cli.stack.processes import key

TEAM_ADDRESS = "team@example.com"
SENDER_ADDRESS = "customer-success@example.com"
SINK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105  (of the sink on this machine; the standard's own example)
# The embedded broker has no idempotent producer, its group joins take half a session, it starts empty each time,
# and its long polls do not wake.
EMBEDDED_KAFKA = {
    "CSM_KAFKA__ASSIGNMENT": "all",
    "CSM_KAFKA__IDEMPOTENCE": "false",
    "CSM_KAFKA__ON_NEW_LOG": "restart",
    "CSM_KAFKA__FETCH_MAX_WAIT_MS": "10",
}
GIVEN_KAFKA = {"CSM_KAFKA__ASSIGNMENT": "group", "CSM_KAFKA__IDEMPOTENCE": "true"}


def service(name: str, *, options: Options, bootstrap: str, dsn: str) -> Child:
    """The process of the service `name`, which connects to `bootstrap` and, as its own role, to `dsn`."""
    port = getattr(options.ports, key(name))
    return Child(
        name,
        python(key(name)),
        home=options.home,
        ready=lambda: answers(port, "/readyz"),
        environment=environment(name, options=options, bootstrap=bootstrap, dsn=dsn),
    )


def environment(name: str, *, options: Options, bootstrap: str, dsn: str) -> dict[str, str]:
    """The settings of the service `name`, on top of what the environment of `csm up` already says."""
    settings = {
        "CSM_HTTP__HOST": HOST,
        "CSM_HTTP__PORT": str(getattr(options.ports, key(name))),
        "CSM_DATABASE__DSN": dsn,
        "CSM_KAFKA__BOOTSTRAP": bootstrap,
        **(GIVEN_KAFKA if options.kafka else EMBEDDED_KAFKA),
        "CSM_TELEMETRY__LOG_FORMAT": "json",
    }
    if name == "ingest" and options.ingest_config:
        settings["CSM_INGEST__CONFIG"] = str(options.ingest_config)
    if name == "notifier":
        settings |= {
            "CSM_SMTP__HOST": HOST,
            "CSM_SMTP__PORT": str(options.ports.smtp),
            "CSM_SMTP__SENDER": SENDER_ADDRESS,
            "CSM_NOTIFIER__FALLBACK_ADDRESS": TEAM_ADDRESS,
            **_reaching_out(options),
        }
    return settings


def _reaching_out(options: Options) -> dict[str, str]:
    """Links that work on this machine, and an endpoint to try webhooks with; what `csm up` was told itself goes first."""
    ports = options.ports
    sink = {
        "kind": "webhook",
        "url": f"http://{HOST}:{ports.sinks}/webhooks/notifications",
        "secrets": [SINK_SECRET],
    }
    settings = {
        "CSM_NOTIFIER__PUBLIC_URL": f"http://{HOST}:{ports.notifier}",
        "CSM_NOTIFIER__ALLOWED_NETWORKS": json.dumps([f"{HOST}/32"]),
        "CSM_NOTIFIER__ENDPOINTS": json.dumps({"sink": sink}),
    }
    return {name: os.environ.get(name, value) for name, value in settings.items()}


def sinks(options: Options) -> Child:
    """The process that takes the mails and webhooks."""
    http, smtp = options.ports.sinks, options.ports.smtp
    return Child(
        "sinks",
        python("csm_cli.sinks", str(http), str(smtp)),
        home=options.home,
        ready=lambda: answers(http, "/livez"),
    )
