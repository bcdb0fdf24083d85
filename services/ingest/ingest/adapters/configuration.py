"""The configuration file: how SDK messages are mapped, what is personal, tracking plans, webhooks. All may be left out."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from csm_common.errors import FatalError
from ingest.application.personal import PersonalDataRules
from ingest.application.plans import Plan
from ingest.application.sdk.rules import SdkConfig
from ingest.application.webhooks.rules import Webhooks


class Configuration(BaseModel):
    """The whole file; what each section holds is told where it is used."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sdk: SdkConfig = SdkConfig()
    personal_data: PersonalDataRules = PersonalDataRules()
    plans: list[Plan] = []
    webhooks: Webhooks = Webhooks()


def load(path: Path | None) -> Configuration:
    """The configuration in a YAML file, or the defaults where there is none. FatalError tells every mistake with its place."""
    if path is None:
        return Configuration()
    try:
        told = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Configuration() if told is None else Configuration.model_validate(told)
    except OSError as error:
        raise FatalError(f"The configuration {path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise FatalError(f"The configuration {path} is not a text in UTF-8: {error}.") from error
    except yaml.YAMLError as error:
        raise FatalError(f"The configuration {path} is not YAML: {error}") from error
    except ValidationError as error:
        mistakes = "\n".join(f"  {_place(each)}: {_sentence(each)}" for each in error.errors())
        raise FatalError(f"The configuration {path} has mistakes:\n{mistakes}") from error


def _place(error: Any) -> str:
    return ".".join(map(str, error["loc"])) or "the file"


def _sentence(error: Any) -> str:
    known = {"extra_forbidden": "there is no such key", "missing": "is missing"}
    return known.get(error["type"]) or str(error["msg"]).removeprefix("Value error, ")
