"""Every pod of deploy/k8s as it will run, without kustomize: the services' own halves joined with what they have in common."""

from typing import Any

from tests.unit.deploy.files import DEPLOY, SERVICES, Document, document, documents

K8S = DEPLOY / "k8s"
BASE = K8S / "base"
WORKLOADS = ("Deployment", "StatefulSet", "Job")


def of_kind(kind: str, service: str) -> Document:
    """The only document of that kind in a service's file."""
    (only,) = [each for each in documents(BASE / f"{service}.yaml") if each["kind"] == kind]
    return only


def service_pod(service: str) -> Document:
    """A service's pod; ValueError where its own half and the common one say the same thing twice."""
    own = of_kind("Deployment", service)["spec"]["template"]["spec"]
    common = document(BASE / "service-defaults.yaml")["spec"]["template"]["spec"]
    container = _joined(_only(own["containers"]), _only(common["containers"]))
    return {**_joined(own, common), "containers": [container]}


def pods() -> dict[str, Document]:
    """Pod by workload, those of the local overlay among them."""
    alone = {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for path in [BASE / "bootstrap.yaml", *(K8S / "overlays" / "local").glob("*.yaml")]
        for each in documents(path)
        if each["kind"] in WORKLOADS
    }
    return alone | {service: service_pod(service) for service in SERVICES}


def container(pod: Document) -> Document:
    """The only container of a pod."""
    return _only(pod["containers"])


def _only(containers: list[Document]) -> Document:
    (only,) = containers
    return only


_MERGED = {"volumes", "volumeMounts"}
"""Lists that kustomize joins by the name or path of their items."""


def _joined(own: Document, common: Document) -> dict[str, Any]:
    twice = own.keys() & common.keys()
    if said := twice - _MERGED - {"name", "containers"}:
        raise ValueError(f"{sorted(said)} are said by the service and by service-defaults.yaml")
    return {**common, **own, **{each: [*own[each], *common[each]] for each in twice & _MERGED}}
