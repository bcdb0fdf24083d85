"""Reads the contact policy from YAML: the packaged one, or the operator's own."""

from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from csm_common.errors import FatalError
from csm_common.yaml_document import BrokenDocumentError, YamlDocument
from notifier.adapters.policy_schema import PolicyFile
from notifier.domain.policy import ContactPolicy

PACKAGED = Path(__file__).parent.parent / "policy.yaml"

_MEMBERS = tuple(PolicyFile.model_fields)


def load_policy(file: Path | None = None) -> ContactPolicy:
    """The policy of a file, or the packaged one. FatalError with all mistakes, each with line, column and what to do."""
    path = file or PACKAGED
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FatalError(f"the contact policy {path} cannot be read: {error}") from error
    return read_policy(text, str(path))


def read_policy(text: str, source: str = "policy") -> ContactPolicy:
    """The policy of a text. FatalError with all mistakes."""
    try:
        document = YamlDocument(text)
    except BrokenDocumentError as broken:
        raise FatalError(f"{source}:{broken.line}:{broken.column}: {broken}") from broken
    try:
        return PolicyFile.model_validate(document.value).policy()
    except ValidationError as error:
        told = sorted({_told(each, document) for each in error.errors(include_url=False)})
        raise FatalError(
            "\n".join(f"{source}:{line}:{column}: {said}" for line, column, said in told)
        ) from error


def _told(error: ErrorDetails, document: YamlDocument) -> tuple[int, int, str]:
    unknown = error["type"] == "extra_forbidden"
    place = tuple(each for each in error["loc"] if each != "[key]")
    find = document.key_position if place and (unknown or "[key]" in error["loc"]) else document.position
    line, column = find(place)
    member = ".".join(map(str, place)) or "policy"
    return line, column, f"{member}: {_sentence(error)}"


def _sentence(error: ErrorDetails) -> str:
    match error["type"]:
        case "extra_forbidden":
            return _no_member(str(error["loc"][-1]), at_top=len(error["loc"]) == 1)
        case "missing":
            return "is missing"
        case "value_error":
            return str(error["ctx"]["error"])
        case "model_type" | "dict_type":
            return "must be a mapping of names to values"
    return "must be " + error["msg"].removeprefix("Input should be ") + f", not {error['input']!r}"[:80]


def _no_member(name: str, *, at_top: bool) -> str:
    near = get_close_matches(name, _MEMBERS, n=1) if at_top else []
    if near:
        return f"there is no such member; did you mean {near[0]}?"
    return (
        f"there is no such member; there are {', '.join(_MEMBERS)}" if at_top else "there is no such member"
    )
