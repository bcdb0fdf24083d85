"""deploy/observability: alerts are on metrics that exist, and every service is watched."""

import json
import re
import subprocess
import sys
from typing import get_args

import pytest
from tests.unit.deploy.files import DEPLOY, HTTP_PORT, ROOT, SERVICES, Document, document
from tests.unit.deploy.pods import BASE

from notifier.application.dead_letters import DeadCode
from notifier.domain.delivery import Outcome

OBSERVABILITY = DEPLOY / "observability"
RULES: list[Document] = [
    rule for group in document(OBSERVABILITY / "alerts.yml")["groups"] for rule in group["rules"]
]

# In a process of its own, because a process has but one meter provider.
EXPOSE_EVERY_METRIC = """
from prometheus_client import generate_latest
from csm_common.settings import TelemetrySettings
from csm_common.telemetry import metrics
from csm_common.telemetry.setup import setup_telemetry

setup_telemetry("test", TelemetrySettings())
for instrument in list(vars(metrics).values()):
    if names := getattr(instrument, "_labelnames", ()):
        instrument.labels(*names).observe(1)
    for record in ("add", "record", "set"):
        if type(instrument).__module__.startswith("opentelemetry") and hasattr(instrument, record):
            getattr(instrument, record)(1)
print(generate_latest().decode())
"""


@pytest.fixture(scope="module")
def exposed() -> set[str]:
    """The names of all metrics, as Prometheus reads them at /metrics."""
    page = subprocess.run(
        [sys.executable, "-c", EXPOSE_EVERY_METRIC], capture_output=True, text=True, check=True
    ).stdout
    return {re.split(r"[{ ]", line)[0] for line in page.splitlines() if line and not line.startswith("#")}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_is_on_metrics_that_exist(rule: Document, exposed: set[str]) -> None:
    used = set(re.findall(r"\b(?:csm|http_server)_\w+", rule["expr"]))

    assert used <= exposed
    assert used or rule["expr"].startswith("up{"), "an alert on nothing"


def test_the_outcomes_an_alert_names_are_outcomes() -> None:
    (rule,) = [each for each in RULES if "csm_notifier_attempts_total" in each["expr"]]
    named = re.findall(r'outcome(?:=~|!=)"([^"]*)"', rule["expr"])

    assert {name for group in named for name in group.split("|")} <= set(get_args(Outcome))


def test_the_codes_alerts_name_are_codes_of_dead_letters() -> None:
    rules = [each["expr"] for each in RULES if "csm_notifier_dead_letters" in each["expr"]]
    named = re.findall(r'code(?:=|!~)"([^"]*)"', " ".join(rules))

    assert len(named) == len(rules)
    assert {code for group in named for code in group.split("|")} <= set(get_args(DeadCode))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["alert"]))
def test_an_alert_tells_a_person_what_is_wrong_and_how_soon_to_look(rule: Document) -> None:
    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() - {"runbook"} == {"summary", "description"}


def test_every_runbook_belongs_to_an_alert_and_tells_what_it_means_where_to_look_and_what_to_do() -> None:
    named = {rule["annotations"]["runbook"] for rule in RULES if "runbook" in rule["annotations"]}
    written = {
        str(path.relative_to(ROOT)): path.read_text() for path in (ROOT / "docs/runbooks").glob("*.md")
    }

    assert written.keys() - {"docs/runbooks/README.md"} == named
    for text in (written[each] for each in named):
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "What it means",
            "Where to look",
            "What to do",
        ]
        assert any(f"`{rule['alert']}`" in text for rule in RULES)


def test_the_dashboard_shows_metrics_that_exist(exposed: set[str]) -> None:
    panels = json.loads((OBSERVABILITY / "ingest.dashboard.json").read_text())["panels"]
    asked = [target["expr"] for panel in panels for target in panel["targets"]]

    for expression in asked:
        used = set(re.findall(r"\b(?:csm|http_server)_\w+", expression))
        assert used, expression
        assert used <= exposed
    assert len({panel["id"] for panel in panels}) == len(panels)


def test_every_service_is_scraped() -> None:
    (job,) = document(OBSERVABILITY / "prometheus.yml")["scrape_configs"]
    (static,) = job["static_configs"]
    pods = document(BASE / "service-defaults.yaml")["spec"]["template"]["metadata"]["annotations"]

    assert static["targets"] == [f"{service}:{HTTP_PORT}" for service in SERVICES]
    assert pods["prometheus.io/port"] == str(HTTP_PORT)


def test_every_part_of_the_collector_is_defined_and_used() -> None:
    collector = document(OBSERVABILITY / "collector.yml")
    (pipeline,) = collector["service"]["pipelines"].values()

    assert {name: list(collector[name]) for name in pipeline} == pipeline


def test_the_services_send_their_traces_to_where_the_collector_listens() -> None:
    compose = document(OBSERVABILITY / "docker-compose.yml")["services"]
    port = document(OBSERVABILITY / "collector.yml")["receivers"]["otlp"]["protocols"]["http"]["endpoint"]

    for service in SERVICES:
        endpoint = compose[service]["environment"]["CSM_TELEMETRY__OTLP_ENDPOINT"]
        assert endpoint == f"http://collector:{port.rsplit(':', 1)[1]}"
