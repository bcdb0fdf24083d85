"""What the OpenAPI document tells of answers beside their models: errors as problem documents, and examples of a real run."""

from typing import Any

from csm_common.web.documents import example_of
from health_score.entrypoints import examples

FIELDS = (
    "Only these fields, separated by commas, beside the account's id: names of the snapshot, or one inside it, such as"
    " `score,band,attributes.owner,measures.nps`. All unless told."
)

Answers = dict[int | str, dict[str, Any]]

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "message"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "detail")},
        "code": {"type": "string", "description": "For programs."},
        "message": {"type": "string", "description": "What is wrong, where, and what to do."},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Each mistake with its place.",
        },
    },
}
_NOT_MODIFIED: Answers = {304: {"description": "The answer is still the one that `If-None-Match` names."}}


def _problem(description: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": _PROBLEM, "example": example}}
    return {"description": description, "content": content}


def _answer(example: Any) -> Answers:
    return {200: {"content": {"application/json": {"example": example_of(example)}}}}


DENIED: Answers = {
    401: _problem("No key, or one that is not good.", examples.UNAUTHENTICATED),
    403: _problem("The key lacks the scope `health:read`.", examples.FORBIDDEN),
}
UNKNOWN: Answers = {404: _problem("Not known, or not among the rows you may see.", examples.UNKNOWN)}
INVALID: Answers = {422: _problem("A parameter that is none, or out of its bounds.", examples.INVALID)}
_REFUSED: Answers = {
    400: _problem("A cursor of another list, or a field that there is not.", examples.REFUSED)
}

LIST_ANSWERS: Answers = _answer(examples.PAGE) | _NOT_MODIFIED | _REFUSED | DENIED | INVALID
ACCOUNT_ANSWERS: Answers = _answer(examples.ACCOUNT) | _NOT_MODIFIED | DENIED | UNKNOWN | INVALID
HEALTH_ANSWERS: Answers = _answer(examples.HEALTH) | DENIED | UNKNOWN | INVALID
STATS_ANSWERS: Answers = _answer(examples.STATS) | DENIED
FLEET_ANSWERS: Answers = _answer(examples.FLEET) | DENIED | INVALID
_EXPORT: Answers = {
    200: {
        "description": "The accounts, gzipped where that is accepted.",
        "content": {
            "application/x-ndjson": {"schema": {"type": "string"}, "example": examples.NDJSON},
            "text/csv": {"schema": {"type": "string"}, "example": examples.CSV},
        },
    }
}
EXPORT_ANSWERS: Answers = _EXPORT | _REFUSED | DENIED | INVALID
