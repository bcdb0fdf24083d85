"""The deployment files as data, and the settings that their variables must be."""

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from csm_common.settings import ServiceSettings

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
SERVICES = ("ingest", "health-score", "playbooks", "notifier")
HTTP_PORT = 8080
"""Where every service listens inside its container."""

CLOSING_S = 20.0
"""What a service may need after its drain: the producer sends what is on its way, connections are closed."""

Document = dict[str, Any]


@cache
def documents(path: Path) -> list[Document]:
    """All YAML documents of one file."""
    return list(yaml.safe_load_all(path.read_text()))


def document(path: Path) -> Document:
    """The only YAML document of a file."""
    (only,) = documents(path)
    return only


def variables(path: Path) -> dict[str, str]:
    """The assignments of a .env file."""
    lines = path.read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def instructions(path: Path) -> list[tuple[str, str]]:
    """A Dockerfile's instructions with their arguments, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", path.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def settings_of(service: str) -> type[ServiceSettings]:
    """The settings class of a service."""
    module = import_module(f"{service.replace('-', '_')}.settings")
    (own,) = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, ServiceSettings) and each is not ServiceSettings
    ]
    return own


def is_setting(settings: type[BaseModel], variable: str) -> bool:
    """Whether `variable` (CSM_KAFKA__BOOTSTRAP) sets something; one that does not would be ignored in silence."""
    *path, leaf = variable.removeprefix("CSM_").lower().split("__")
    for part in path:
        field = settings.model_fields.get(part)
        if (
            field is None
            or not isinstance(field.annotation, type)
            or not issubclass(field.annotation, BaseModel)
        ):
            return False
        settings = field.annotation
    return leaf in settings.model_fields
