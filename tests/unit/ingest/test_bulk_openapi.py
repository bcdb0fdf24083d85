"""The routes of imports, rejections and sources do what their OpenAPI document says, whatever is sent to them."""

import asyncio
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.support.clock import START
from tests.unit.ingest.bulk_door import BulkDoor
from tests.unit.ingest.imports.test_run import lines
from tests.unit.ingest.rejections.lists_contract import a_rejection
from tests.unit.ingest.sources.sources_contract import a_minute, a_violation

from ingest.application.imports.job import ImportJob
from ingest.entrypoints.schemas import component_schemas


def a_door() -> BulkDoor:
    """One with something to be read behind every route."""
    door = BulkDoor()
    asyncio.run(fill(door))
    document = door.app.openapi()
    document["components"]["schemas"]["Problem"] = component_schemas()["Problem"]
    return door


async def fill(door: BulkDoor) -> None:
    """Rejections, an import that runs, and a source with a violation."""
    await door.rejections.add([a_rejection(str(n)) for n in range(60)])
    await door.jobs.begin(ImportJob(id="0", started_at=START, updated_at=START))
    await door.client.post("/v1/imports", params={"id": "march"}, content=lines(3))
    await door.sources.add([a_minute(accepted=1)], [a_violation()])


DOOR = a_door()
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
schema = schemathesis.openapi.from_asgi("/openapi.json", DOOR.app)


@schemathesis.serializer("application/x-ndjson")
def as_it_is(_: object, value: object) -> bytes:
    """Texts are sent as they are."""
    return value if isinstance(value, bytes) else str(value).encode()


@schema.include(path_regex="^/v1/").parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_answers_are_as_documented(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(headers={"authorization": DOOR.client.headers["authorization"]}, checks=CHECKS)


@pytest.mark.parametrize("path", ["/v1/imports", "/v1/rejections:replay"])
def test_bodies_are_documented(path: str) -> None:
    body = DOOR.app.openapi()["paths"][path]["post"]["requestBody"]

    assert body["required"] is True
    assert all(each["schema"] for each in body["content"].values())
