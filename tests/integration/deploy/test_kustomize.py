"""Both overlays as kustomize renders them: valid for Kubernetes, restricted, and without a reference into the void."""

import shutil
from typing import Any

import pytest
import yaml
from tests.integration.deploy.tools import DEPLOY, ROOT, kustomize, run

Resource = dict[str, Any]
OVERLAYS = ("local", "production")
KUBERNETES = ("1.30", "1.34")
"""The oldest version that knows all we use, and a newer one."""


@pytest.fixture(scope="module")
def overlays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Resource]]:
    """What each overlay comes to, with made-up passwords."""
    copy = tmp_path_factory.mktemp("deploy") / "k8s"
    shutil.copytree(DEPLOY / "k8s", copy, ignore=shutil.ignore_patterns(".env"))
    secrets = (ROOT / ".env.example").read_text().replace("=\n", "=made-up\n")
    (copy / "overlays" / "local" / ".env").write_text(secrets)
    rendered = {name: run([*kustomize(), str(copy / "overlays" / name)]) for name in OVERLAYS}
    return {name: list(yaml.safe_load_all(text)) for name, text in rendered.items()}


@pytest.fixture(params=OVERLAYS)
def resources(request: pytest.FixtureRequest, overlays: dict[str, list[Resource]]) -> list[Resource]:
    """The resources of one overlay after the other."""
    return overlays[request.param]


def _pods(resources: list[Resource]) -> dict[str, tuple[dict[str, str], Resource]]:
    """Labels and pod of every workload, by name."""
    templates = {
        each["metadata"]["name"]: each["spec"]["template"]
        for each in resources
        if "template" in each.get("spec", {})
    }
    return {name: (each["metadata"]["labels"], each["spec"]) for name, each in templates.items()}


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_resource_fits_the_schema_of_kubernetes(resources: list[Resource], version: str) -> None:
    schemas = pytest.importorskip("kubernetes_validate")

    for resource in resources:
        schemas.validate(resource, version, strict=True)


def test_the_schema_check_notices_a_misspelt_field(resources: list[Resource]) -> None:
    schemas = pytest.importorskip("kubernetes_validate")
    (job,) = [each for each in resources if each["kind"] == "Job"]
    misspelt = {**job, "spec": {**job["spec"], "backofLimit": 1}}

    with pytest.raises(schemas.ValidationError, match="backofLimit"):
        schemas.validate(misspelt, KUBERNETES[0], strict=True)


def test_every_pod_is_restricted_and_limited(resources: list[Resource]) -> None:
    for _, pod in _pods(resources).values():
        (container,) = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]


def test_all_is_in_one_namespace_and_labelled_as_one_product(resources: list[Resource]) -> None:
    for resource in resources:
        assert resource["metadata"]["labels"]["app.kubernetes.io/part-of"] == "csm"
        assert resource["kind"] == "Namespace" or resource["metadata"]["namespace"] == "csm"


def test_configuration_and_secrets_referred_to_are_there(resources: list[Resource]) -> None:
    made = {each["metadata"]["name"] for each in resources if each["kind"] in ("ConfigMap", "Secret")}
    by_hand = set() if any(each["kind"] == "Secret" for each in resources) else {"csm"}

    for _, pod in _pods(resources).values():
        (container,) = pod["containers"]
        sources = [
            *container.get("envFrom", ()),
            *(each.get("valueFrom", {}) for each in container.get("env", ())),
        ]
        sources += [
            {"configMap": each["configMap"]} for each in pod.get("volumes", ()) if "configMap" in each
        ]
        references = [reference for source in sources for reference in source.values()]
        needed = {reference["name"] for reference in references if not reference.get("optional")}
        assert needed <= made | by_hand


def test_ingest_alone_has_the_secrets_of_its_configuration(resources: list[Resource]) -> None:
    holders = {
        name: [each["secretRef"] for each in pod["containers"][0].get("envFrom", ()) if "secretRef" in each]
        for name, (_, pod) in _pods(resources).items()
    }
    with_ours = [
        name for name, refs in holders.items() if any(each["name"].startswith("ingest") for each in refs)
    ]

    assert with_ours == ["ingest"]
    assert holders["ingest"] == [{"name": "ingest", "optional": True}]


def test_two_replicas_of_ingest_run_at_least(resources: list[Resource]) -> None:
    (deployment,) = [
        each for each in resources if each["kind"] == "Deployment" and each["metadata"]["name"] == "ingest"
    ]
    scaled = [each["spec"]["minReplicas"] for each in resources if each["kind"] == "HorizontalPodAutoscaler"]

    assert max([deployment["spec"].get("replicas", 1), *scaled]) >= 2


def test_every_rule_of_the_network_is_about_pods_that_exist(resources: list[Resource]) -> None:
    labels = [labels for labels, _ in _pods(resources).values()]
    for policy in (each for each in resources if each["kind"] == "NetworkPolicy"):
        wanted = policy["spec"]["podSelector"].get("matchLabels", {})
        assert any(wanted.items() <= each.items() for each in labels), policy["metadata"]["name"]


def test_what_runs_in_production_has_a_version(overlays: dict[str, list[Resource]]) -> None:
    for _, pod in _pods(overlays["production"]).values():
        (container,) = pod["containers"]
        assert ":" in container["image"]
        assert not container["image"].endswith(":latest")
