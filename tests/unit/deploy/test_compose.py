"""docker-compose.yml: what is published, limited, waited for and set."""

import re
from typing import Any

import pytest
from tests.unit.deploy.files import (
    CLOSING_S,
    DEPLOY,
    HTTP_PORT,
    ROOT,
    SERVICES,
    document,
    instructions,
    is_setting,
    settings_of,
    variables,
)

from csm_cli.stack.options import DEFAULT_PORT_BASE
from csm_cli.stack.ports import Ports
from csm_common.database import bootstrap
from csm_common.settings import ServiceSettings
from ingest.adapters.configuration import Configuration, load

TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = document(ROOT / "docker-compose.yml")
ENDING = ("bootstrap", "csm")
OURS = (*SERVICES, *ENDING, "sinks")


def _service(name: str) -> dict[str, Any]:
    service: dict[str, Any] = COMPOSE["services"][name]
    return service


def _ports(name: str) -> dict[int, int]:
    """Published port by port in the container."""
    bindings = [each.split(":") for each in _service(name).get("ports", ())]
    assert all(host == "127.0.0.1" for host, _, _ in bindings), f"{name} is published beyond this machine"
    return {int(inside): int(published) for _, published, inside in bindings}


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_is_limited_and_cannot_gain_privileges(name: str) -> None:
    service = _service(name)

    assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys()
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", OURS)
def test_our_containers_write_nothing_and_need_no_capability(name: str) -> None:
    service = _service(name)

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", sorted(COMPOSE["services"].keys() - ENDING))
def test_what_runs_on_is_checked_and_restarted(name: str) -> None:
    service = _service(name)
    built = service.get("build", {}).get("dockerfile")
    checked_by_image = built and "HEALTHCHECK" in dict(instructions(ROOT / built))

    assert "healthcheck" in service or checked_by_image
    assert service["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", OURS)
def test_what_we_build_is_built_from_the_root(name: str) -> None:
    build = _service(name)["build"]

    assert build["context"] == "."
    assert (ROOT / build["dockerfile"]).is_file()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_time_to_drain(name: str) -> None:
    grace = int(_service(name)["stop_grace_period"].removesuffix("s"))

    assert grace > ServiceSettings.model_fields["drain_timeout_s"].default + CLOSING_S


def test_the_published_ports_are_those_of_csm_up() -> None:
    plan = Ports.from_base(DEFAULT_PORT_BASE)

    for name in SERVICES:
        assert _ports(name) == {HTTP_PORT: getattr(plan, name.replace("-", "_"))}
    assert _ports("sinks") == {8080: plan.sinks, 1025: plan.smtp}
    assert _ports("postgres") == {5432: plan.postgres}
    assert _ports("kafka") == {plan.broker: plan.broker}
    assert f"HOST://localhost:{plan.broker}" in _service("kafka")["environment"]["KAFKA_ADVERTISED_LISTENERS"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_waits_for_kafka_and_the_bootstrap(name: str) -> None:
    assert _service(name)["depends_on"] == {
        "kafka": {"condition": "service_healthy"},
        "bootstrap": {"condition": "service_completed_successfully"},
    }


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_is_told_is_a_setting_it_knows(name: str) -> None:
    told = _service(name)["environment"]
    traced = document(DEPLOY / "observability" / "docker-compose.yml")["services"][name]["environment"]

    assert [each for each in {**told, **traced} if not is_setting(settings_of(name), each)] == []


def test_ingest_reads_its_configuration_where_it_is_mounted() -> None:
    ingest = _service("ingest")
    (volume,) = ingest["volumes"]
    default, inside, mode = re.fullmatch(r"\$\{CSM_INGEST_FILE:-(.+)\}:(.+):(.+)", volume).groups()  # type: ignore[union-attr]

    assert load(ROOT / default) == Configuration()
    assert ingest["environment"]["CSM_INGEST__CONFIG"] == inside
    assert mode == "ro"
    assert ingest["env_file"] == [{"path": "ingest.env", "required": False}]
    assert "ingest.env" in (ROOT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_connects_as_its_own_role_to_its_own_database(name: str) -> None:
    role = name.replace("-", "_")
    dsn = _service(name)["environment"]["CSM_DATABASE__DSN"]

    assert dsn.startswith(f"postgresql://{role}:${{CSM_PASSWORD_{role.upper()}:?")
    assert dsn.endswith(f"@postgres:5432/{bootstrap.DATABASE}")


def test_the_bootstrap_is_told_all_it_needs() -> None:
    passwords = {f"CSM_PASSWORD_{service.upper()}" for service in bootstrap.SERVICES}

    assert _service("bootstrap")["environment"].keys() == {"CSM_ADMIN_DSN", *passwords}


def test_the_secrets_that_compose_demands_are_those_of_the_example() -> None:
    demanded = set(re.findall(r"\$\{(\w+):\?", TEXT))

    assert demanded == variables(ROOT / ".env.example").keys()
    assert not any(variables(ROOT / ".env.example").values()), "an example has no secrets"
    assert set(re.findall(r"\$\{(\w*PASSWORD\w*)", TEXT)) <= demanded
