"""deploy/k8s before kustomize: pods are restricted, limited and probed; names, ports and variables agree."""

import re
from pathlib import Path

import pytest
from tests.unit.deploy.files import (
    CLOSING_S,
    HTTP_PORT,
    ROOT,
    SERVICES,
    document,
    documents,
    is_setting,
    settings_of,
    variables,
)
from tests.unit.deploy.pods import BASE, K8S, container, of_kind, pods, service_pod

from csm_common.contracts.topics import TOPICS
from csm_common.database import bootstrap
from csm_common.settings import KafkaSettings, ServiceSettings
from ingest.adapters.configuration import Configuration, load

PODS = pods()
SETTINGS_FILES = sorted(K8S.rglob("settings.env"))
OVERLAYS = ("local", "production")


MANIFESTS = sorted(each for each in K8S.rglob("*.yaml") if each.parent != BASE / "config")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: str(path.relative_to(K8S)))
def test_every_file_is_yaml_of_a_kind(path: Path) -> None:
    assert all({"apiVersion", "kind"} <= each.keys() for each in documents(path))


@pytest.mark.parametrize("name", PODS)
def test_a_pod_keeps_to_the_restricted_standard(name: str) -> None:
    pod, inside = PODS[name], container(PODS[name])["securityContext"]

    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert inside["allowPrivilegeEscalation"] is False
    assert inside["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("name", PODS)
def test_a_pod_has_no_key_to_the_cluster_and_no_variables_of_others(name: str) -> None:
    assert PODS[name]["automountServiceAccountToken"] is False
    assert PODS[name]["enableServiceLinks"] is False


@pytest.mark.parametrize("name", PODS)
def test_a_pod_says_what_it_needs_and_has_a_limit(name: str) -> None:
    resources = container(PODS[name])["resources"]

    assert resources["requests"].keys() == {"cpu", "memory"}
    assert "memory" in resources["limits"]  # processor time is shared out by the requests


@pytest.mark.parametrize("name", [each for each in PODS if each != "bootstrap"])
def test_what_runs_on_is_probed(name: str) -> None:
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container(PODS[name]).keys()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_probed_where_it_answers(service: str) -> None:
    inside = container(service_pod(service))
    (port,) = inside["ports"]

    assert port == {"name": "http", "containerPort": HTTP_PORT}
    assert inside["startupProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert inside["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "http"}
    assert inside["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "http"}


@pytest.mark.parametrize("service", SERVICES)
def test_what_belongs_to_a_service_points_at_its_pods(service: str) -> None:
    labels = {"app.kubernetes.io/name": service}
    deployment = of_kind("Deployment", service)["spec"]

    assert deployment["template"]["metadata"]["labels"].items() >= labels.items()
    assert deployment["selector"]["matchLabels"] == labels
    assert of_kind("Service", service)["spec"]["selector"] == labels
    assert of_kind("PodDisruptionBudget", service)["spec"]["selector"]["matchLabels"] == labels
    assert (
        service_pod(service)["serviceAccountName"] == of_kind("ServiceAccount", service)["metadata"]["name"]
    )
    assert {each["metadata"]["name"] for each in documents(BASE / f"{service}.yaml")} == {service}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_time_to_drain(service: str) -> None:
    pod = service_pod(service)
    asleep = container(pod)["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = ServiceSettings.model_fields["drain_timeout_s"].default + CLOSING_S

    assert pod["terminationGracePeriodSeconds"] > asleep + drain


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_connects_as_its_own_role_to_its_own_database(service: str) -> None:
    role = service.replace("-", "_")
    password, dsn, *_ = container(service_pod(service))["env"]

    assert password["valueFrom"]["secretKeyRef"] == {"name": "csm", "key": f"CSM_PASSWORD_{role.upper()}"}
    assert dsn["value"] == (
        f"postgresql://{role}:$({password['name']})@$(DATABASE_SERVER)/{bootstrap.DATABASE}$(DATABASE_OPTIONS)"
    )


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_alone_is_told_is_a_setting_it_knows(service: str) -> None:
    told = [each["name"] for each in container(service_pod(service))["env"]]

    assert [
        each for each in told if each.startswith("CSM_") and not is_setting(settings_of(service), each)
    ] == []


@pytest.mark.parametrize("path", SETTINGS_FILES, ids=lambda path: path.parent.name)
def test_what_all_are_told_is_a_setting_that_some_service_knows(path: Path) -> None:
    told = [each for each in variables(path) if each.startswith("CSM_")]

    assert [each for each in told if not any(is_setting(settings_of(name), each) for name in SERVICES)] == []


def test_the_kafka_credentials_are_settings() -> None:
    (patch,) = documents(K8S / "overlays" / "production" / "kafka-credentials.yaml")
    inside = container(patch["spec"]["template"]["spec"])

    assert all(is_setting(ServiceSettings, each["name"]) for each in inside["env"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_piece_of_a_connection_is_set_before_it_is_used(overlay: str) -> None:
    told = variables(BASE / "settings.env") | variables(K8S / "overlays" / overlay / "settings.env")
    for pod in (PODS["bootstrap"], *map(service_pod, SERVICES)):
        known = {*told, *variables(ROOT / ".env.example")}
        for each in container(pod)["env"]:
            used = set(re.findall(r"\$\((\w+)\)", each.get("value", "")))
            assert used <= known, f"{each['name']} uses what is not set"
            known.add(each["name"])


def test_no_consumer_has_more_replicas_than_partitions() -> None:
    replicas = {
        each["name"]: each["count"]
        for each in document(K8S / "overlays" / "production" / "kustomization.yaml")["replicas"]
    }

    for topic in TOPICS:
        for consumer in topic.consumers:
            assert replicas[consumer] <= topic.partitions


def test_ingest_reads_its_configuration_where_it_is_mounted() -> None:
    pod = service_pod("ingest")
    told = {each["name"]: each.get("value") for each in container(pod)["env"]}
    (volume,) = [each for each in pod["volumes"] if "configMap" in each]
    (mount,) = [each for each in container(pod)["volumeMounts"] if each["name"] == volume["name"]]
    generated = document(BASE / "kustomization.yaml")["configMapGenerator"]
    (file,) = next(each["files"] for each in generated if each["name"] == volume["configMap"]["name"])

    assert mount["readOnly"] is True
    assert told["CSM_INGEST__CONFIG"] == f"{mount['mountPath']}/{Path(file).name}"
    assert load(BASE / file) == Configuration()


def test_what_the_example_of_a_configuration_shows_can_be_said(tmp_path: Path) -> None:
    text = (BASE / "config" / "ingest.yaml").read_text()
    shown = tmp_path / "ingest.yaml"
    shown.write_text(
        "\n".join(line.removeprefix("#|") for line in text.splitlines() if line.startswith("#|"))
    )

    said, nothing = load(shown), Configuration()
    assert [
        each for each in Configuration.model_fields if getattr(said, each) == getattr(nothing, each)
    ] == []


def test_replicas_share_the_partitions_of_what_they_read() -> None:
    told = [each for path in SETTINGS_FILES for each in variables(path).items()]
    own = [
        (each["name"], each.get("value")) for name in SERVICES for each in container(service_pod(name))["env"]
    ]

    assert KafkaSettings.model_fields["assignment"].default == "group"
    assert not [value for name, value in told + own if name == "CSM_KAFKA__ASSIGNMENT"]


def test_secrets_are_referred_to_and_never_written_down() -> None:
    kinds = {each["kind"] for path in MANIFESTS for each in documents(path)}

    assert "Secret" not in kinds
    assert ".env" in (K8S / "overlays" / "local" / ".gitignore").read_text().splitlines()
