"""The SDK routes in the app's OpenAPI document, as full as if FastAPI had made it from models."""

from typing import Any

from fastapi import FastAPI

from ingest.application.reading import MAX_BATCH_EVENTS, MAX_EVENT_BYTES
from ingest.entrypoints.schemas import ref
from ingest.entrypoints.sdk import BATCHES, CALLS, POSTHOG, SCOPE

Schema = dict[str, Any]

_REFUSALS = {
    "400": "The body cannot be read at all. Messages at fault inside one that can are kept as rejections.",
    "401": "No key, or one that is unknown, expired or revoked.",
    "403": f"The key lacks the scope {SCOPE}.",
    "408": "The body did not arrive in time.",
    "413": "The body or the batch is too large.",
    "429": "The key has sent too many. Send the same again after Retry-After seconds.",
    "500": "Something is wrong on our side.",
    "503": "Nothing is promised: send the same again after Retry-After seconds. Ids make that harmless.",
}
_ABOUT = (
    "Answers once every message is durable. Messages at fault do not keep the others out: they are counted, kept with the reason,"
    f" and can be replayed. A message may have {MAX_EVENT_BYTES} bytes. The content type does not matter; the body may be"
    " compressed with gzip. The key is sent as Basic or Bearer authorization, or in the body. docs/sdks.md tells what becomes"
    " of a message."
)
_CALL = {"messageId": "m-1", "userId": "u-17", "timestamp": "2026-03-02T09:00:00Z"}
_TRACK = _CALL | {"type": "track", "event": "Report Exported", "context": {"groupId": "acme"}}
_EVENT = {
    "event": "report exported",
    "distinct_id": "u-17",
    "uuid": "m-1",
    "properties": {"$groups": {"company": "acme"}},
}
_EXAMPLES: dict[str, Schema] = {
    "SdkBatch": {"batch": [_TRACK], "sentAt": "2026-03-02T09:00:01Z"},
    "SdkCall": _TRACK,
    "PosthogBody": {"api_key": "csm_…", "batch": [_EVENT]},
}


def document_sdk(app: FastAPI) -> None:
    """Make /openapi.json tell of the SDK routes. The schemas Problem and the security schemes are those of the events' route."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        if BATCHES[0] not in document["paths"]:
            document.setdefault("components", {}).setdefault("schemas", {}).update(_schemas())
            document["paths"].update(_paths())
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI's documentation extends its OpenAPI


def _paths() -> dict[str, Any]:
    described = dict.fromkeys(BATCHES, ("Take a batch of an SDK", "SdkBatch"))
    described |= {path: (f"Take a single {kind} call", "SdkCall") for path, kind in CALLS.items()}
    described |= dict.fromkeys(POSTHOG, ("Take events of PostHog's SDKs", "PosthogBody"))
    return {
        f"{path}{slash}": {"post": _operation(f"{path}{slash}", summary, schema)}
        for path, (summary, schema) in described.items()
        for slash in ("", "/")
    }


def _operation(path: str, summary: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": ref(schema), "examples": {"one": {"value": _EXAMPLES[schema]}}}}
    return {
        "operationId": f"post{path.replace('/', '_')}",
        "summary": summary,
        "description": _ABOUT,
        "security": [{"bearer": []}, {"basic": []}],
        "requestBody": {"required": True, "content": content},
        "responses": {"200": _answer()} | {status: _refusal(text) for status, text in _REFUSALS.items()},
    }


def _answer() -> dict[str, Any]:
    return {
        "description": "Every message is durable, or kept as a rejection.",
        "content": {"application/json": {"schema": ref("SdkAnswer")}},
    }


def _refusal(description: str) -> dict[str, Any]:
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": ref("Problem")}},
    }


def _schemas() -> dict[str, Schema]:
    """Messages may be anything, for one at fault is no reason to refuse a body; what they should be is in the docs."""
    about = f"One to {MAX_BATCH_EVENTS} messages."
    batch = {"type": "array", "minItems": 1, "items": {}, "description": about}
    count = {"type": "integer", "minimum": 0}
    return {
        "SdkBatch": {"type": "object", "required": ["batch"], "properties": {"batch": batch}},
        "SdkCall": {"type": "object"},
        "PosthogBody": {
            "anyOf": [
                {"$ref": "#/components/schemas/SdkBatch"},
                {"type": "object", "properties": {"batch": {"type": "null"}}},
                batch,
            ]
        },
        "SdkAnswer": {
            "type": "object",
            "required": ["success", "status", "accepted", "duplicates", "held", "rejected"],
            "properties": {
                "success": {"const": True},
                "status": {"const": 1},
                "accepted": count | {"description": "Durable now, or left out on purpose."},
                "duplicates": count | {"description": "Durable before."},
                "held": count
                | {"description": "Durable; waiting until it is known which account the user is in."},
                "rejected": count | {"description": "Kept with the reason: GET /v1/rejections."},
            },
        },
    }
