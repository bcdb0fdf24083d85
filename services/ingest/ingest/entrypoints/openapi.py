"""The hot route in the app's OpenAPI document, as full as if FastAPI had made it from models."""

from typing import Any

from fastapi import FastAPI

from csm_common.contracts.envelope import BATCH_CONTENT_TYPE, CONTENT_TYPE
from ingest.entrypoints.api import PATH, SCOPE
from ingest.entrypoints.examples import EVENTS, REFUSAL
from ingest.entrypoints.schemas import component_schemas, ref

_REFUSALS = {
    "400": "The body is no event or batch, the event breaks a rule, or every event of the batch does (`all_rejected`).",
    "401": "No key, or one that is unknown, expired or revoked.",
    "403": f"The key lacks the scope {SCOPE}.",
    "409": "The id was given to something else before (`conflicting_id`).",
    "408": "The body did not arrive in time.",
    "413": "The body, the batch or the event is too large.",
    "429": "The key has sent too many events: send the same again after Retry-After seconds.",
    "503": "Nothing is promised: send the same again after Retry-After seconds. Ids make that harmless.",
}


def document_events(app: FastAPI) -> None:
    """Make /openapi.json tell of the events route."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        document = generate()
        if PATH not in document["paths"]:
            components = document.setdefault("components", {})
            components.setdefault("schemas", {}).update(component_schemas())
            components.setdefault("securitySchemes", {}).update(_security_schemes())
            document["paths"][PATH] = {"post": _operation(), "options": _handshake()}
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI's documentation extends its OpenAPI


def _operation() -> dict[str, Any]:
    return {
        "operationId": "post_events",
        "summary": "Take one CloudEvent or a batch",
        "description": "Answers once every accepted event is durable. What is wrong in a batch does not keep the rest out."
        " The body may be compressed with gzip. An event may also come in binary mode: attributes in headers that begin with"
        " ce-, its JSON data as the body. Events that are kept aside are listed by GET /v1/rejections.",
        "security": [{"bearer": []}, {"basic": []}, {"query": []}],
        "requestBody": {"required": True, "content": _request_content()},
        "responses": {
            "202": _receipts(),
            **{status: _refusal(status, text) for status, text in _REFUSALS.items()},
        },
    }


def _handshake() -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    asked = {"WebHook-Request-Origin": "Who asks to send.", "WebHook-Request-Rate": "Requests a minute."}
    told = {"Allow": "The methods there are.", "WebHook-Allowed-Origin": "Who may send: whoever asks."}
    told["WebHook-Allowed-Rate"] = "Requests a minute."
    return {
        "operationId": "options_events",
        "summary": "The handshake of CloudEvents webhooks",
        "description": "Whether a sender may send here. Anyone may who has a key; no callback is ever called.",
        "parameters": [
            {"name": name, "in": "header", "description": about, **text} for name, about in asked.items()
        ],
        "responses": {
            "200": {
                "description": "It may.",
                "headers": {name: {"description": about, **text} for name, about in told.items()},
            }
        },
    }


def _request_content() -> dict[str, Any]:
    examples = {name: {"value": event} for name, event in EVENTS.items()}
    batch = {"two events": {"value": list(EVENTS.values())[:2]}}
    return {
        CONTENT_TYPE: {"schema": ref("Event"), "examples": examples},
        BATCH_CONTENT_TYPE: {"schema": ref("Batch"), "examples": batch},
        "application/json": {
            "schema": {"anyOf": [ref("Event"), ref("Batch")]},
            "examples": examples | batch,
        },
    }


def _receipts() -> dict[str, Any]:
    rejection = {
        "index": 1,
        "id": "e-2",
        "status": "rejected",
        "code": "unknown_type",
        "message": "There is no fact csm.usage.record: did you mean csm.usage.recorded? …",
    }
    examples = {
        "one": {"value": {"id": "e-1", "status": "accepted"}},
        "batch": {
            "value": {"accepted": 1, "duplicates": 0, "parked": 0, "rejected": 1, "results": [rejection]}
        },
    }
    schema = {"oneOf": [ref("Receipt"), ref("ParkedReceipt"), ref("BatchReceipt")]}
    return {
        "description": "Durable.",
        "content": {"application/json": {"schema": schema, "examples": examples}},
    }


def _refusal(status: str, description: str) -> dict[str, Any]:
    examples = {"a string for a number": {"value": REFUSAL}} if status == str(REFUSAL["status"]) else {}
    return {
        "description": description,
        "content": {"application/problem+json": {"schema": ref("Problem"), "examples": examples}},
    }


def _security_schemes() -> dict[str, Any]:
    return {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key made by `csm keys create`.",
        },
        "basic": {"type": "http", "scheme": "basic", "description": "The API key as user name, no password."},
        "query": {
            "type": "apiKey",
            "in": "query",
            "name": "access_token",
            "description": "The API key, for senders that cannot set headers.",
        },
    }
