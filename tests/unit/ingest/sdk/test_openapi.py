"""The OpenAPI document tells of every SDK route, and its examples are taken."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from tests.unit.ingest.sdk.samples import POSTHOG, SEGMENT, understood

from ingest.entrypoints.openapi import document_events
from ingest.entrypoints.sdk import BATCHES, CALLS
from ingest.entrypoints.sdk import POSTHOG as POSTHOG_PATHS
from ingest.entrypoints.sdk_openapi import document_sdk


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    app = FastAPI()
    document_events(app)
    document_sdk(app)
    found: dict[str, Any] = json.loads(json.dumps(app.openapi()))
    return found


def test_every_route_is_there_with_and_without_its_slash(document: dict[str, Any]) -> None:
    paths = [*BATCHES, *CALLS, *POSTHOG_PATHS]
    assert {f"{path}{slash}" for path in paths for slash in ("", "/")} <= set(document["paths"])


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    for name in {each.split('"')[0] for each in text.split("#/components/schemas/")[1:]}:
        assert name in document["components"]["schemas"]


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track", "/batch/"])
def test_examples_are_taken(document: dict[str, Any], path: str) -> None:
    content = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    body = content["examples"]["one"]["value"]
    for message in body.get("batch", [body]):
        found = understood(message, POSTHOG if path == "/batch/" else SEGMENT)
        assert found.account == "acme"
        assert found.drafts
