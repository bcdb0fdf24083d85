"""The Dockerfiles: one per service, equal but for the names, and careful."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.unit.deploy.files import DEPLOY, HTTP_PORT, ROOT, SERVICES, instructions

IMAGES = {
    **{name: ROOT / "services" / name / "Dockerfile" for name in SERVICES},
    "cli": DEPLOY / "cli" / "Dockerfile",
}


def _values(path: Path, instruction: str) -> list[str]:
    return [value for name, value in instructions(path) if name == instruction]


@pytest.mark.parametrize("service", SERVICES)
def test_the_services_images_differ_in_their_names_alone(service: str) -> None:
    def neutral(name: str) -> list[tuple[str, str]]:
        module = name.replace("-", "_")
        return [
            (instruction, value.replace(name, "NAME").replace(module, "NAME"))
            for instruction, value in instructions(IMAGES[name])
            if instruction != "LABEL"
        ]

    assert neutral(service) == neutral("ingest")


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_installs_only_what_the_lock_file_pins(image: str) -> None:
    installs = [run for run in _values(IMAGES[image], "RUN") if "pip install" in run]

    assert installs, "nothing is installed"
    assert all("--require-hashes" in run or "--no-deps --no-build-isolation" in run for run in installs)


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_runs_as_a_numbered_user_who_is_not_root(image: str) -> None:
    (user,) = _values(IMAGES[image], "USER")

    assert all(int(part) > 0 for part in user.split(":"))


@pytest.mark.parametrize("image", IMAGES)
def test_what_an_image_copies_is_there_and_not_ignored(image: str) -> None:
    sources = [copy.split()[0] for copy in _values(IMAGES[image], "COPY") if not copy.startswith("--from")]
    admitted = [
        line.removeprefix("!")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]

    assert sources
    assert all((ROOT / source).exists() for source in sources)
    assert all(source.split("/")[0] in admitted for source in sources)


@pytest.mark.parametrize("service", SERVICES)
def test_the_command_of_a_service_is_its_package(service: str) -> None:
    (command,) = _values(IMAGES[service], "CMD")  # exec form, so that SIGTERM reaches Python

    assert json.loads(command) == ["python", "-m", service.replace("-", "_")]
    assert find_spec(json.loads(command)[2]) is not None


@pytest.mark.parametrize("service", SERVICES)
def test_the_port_of_a_service_is_the_same_everywhere_in_its_image(service: str) -> None:
    (environment,) = [value for value in _values(IMAGES[service], "ENV") if "CSM_HTTP__PORT" in value]
    (health,) = _values(IMAGES[service], "HEALTHCHECK")

    assert f"CSM_HTTP__PORT={HTTP_PORT}" in environment
    assert _values(IMAGES[service], "EXPOSE") == [str(HTTP_PORT)]
    assert f"http://127.0.0.1:{HTTP_PORT}/readyz" in health
