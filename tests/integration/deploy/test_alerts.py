"""The alerts and the scrape configuration as Prometheus reads them."""

from tests.integration.deploy.tools import DEPLOY, promtool, run

OBSERVABILITY = DEPLOY / "observability"


def test_prometheus_accepts_its_configuration_and_the_rules_it_names() -> None:
    run([promtool(), "check", "config", "prometheus.yml"], cwd=OBSERVABILITY)


def test_the_alerts_fire_when_they_should() -> None:
    run([promtool(), "test", "rules", "alerts.test.yml"], cwd=OBSERVABILITY)
