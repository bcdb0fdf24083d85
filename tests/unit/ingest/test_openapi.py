"""The OpenAPI document tells the truth about the events route."""

import json
from typing import Any

import jsonschema
import pytest
from tests.unit.ingest.door import Door, event, usage

from csm_common.contracts.facts import FACTS
from ingest.entrypoints.examples import CUSTOM_TYPE, EVENTS, MISTAKEN


@pytest.fixture
async def document(door: Door) -> dict[str, Any]:
    """The document as it is served."""
    served: dict[str, Any] = (await door.client.get("/openapi.json")).json()
    return served


@pytest.fixture
def operation(document: dict[str, Any]) -> dict[str, Any]:
    """POST /v1/events."""
    found: dict[str, Any] = document["paths"]["/v1/events"]["post"]
    return found


def fits(document: dict[str, Any], schema: dict[str, Any], value: object) -> bool:
    """Whether the value is valid under a schema of the document."""
    whole = {**schema, "components": document["components"]}
    return jsonschema.Draft202012Validator(whole).is_valid(value)


def request_schema(operation: dict[str, Any], content_type: str) -> dict[str, Any]:
    """What the operation takes."""
    found: dict[str, Any] = operation["requestBody"]["content"][content_type]["schema"]
    return found


@pytest.mark.parametrize("name", sorted({*FACTS, CUSTOM_TYPE}))
async def test_every_example_fits_and_is_taken(
    door: Door, document: dict[str, Any], operation: dict[str, Any], name: str
) -> None:
    content = operation["requestBody"]["content"]["application/cloudevents+json"]
    example = content["examples"][name]["value"]

    assert example == EVENTS[name]
    assert fits(document, content["schema"], example)
    assert (await door.post(example)).status_code == 202


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents+json", "application/cloudevents-batch+json", "application/json"]
)
async def test_every_content_type_has_examples_that_are_taken(
    door: Door, document: dict[str, Any], operation: dict[str, Any], content_type: str
) -> None:
    content = operation["requestBody"]["content"][content_type]

    assert content["examples"]
    for example in content["examples"].values():
        assert fits(document, content["schema"], example["value"])
        assert (await door.post(example["value"])).status_code == 202


@pytest.mark.parametrize(
    "mistake",
    [
        event(subject=...),
        event(specversion="0.3"),
        event(type="csm.nothing"),
        usage(),
        usage(feature="export", quantity="3"),
        event(type="csm.contact.changed", data={"email": "kim@acme.example"}),
        event(type="csm.contact.changed", data={"contact_id": "c-1", "email": 5}),
        event(type="csm.contact.changed", data={"contact_id": "a/b"}),
        event(type="csm.usage.recorded", data=...),
        event(subject="a\nb"),
        event(id="x" * 201),
        event(data=[]),
        event(backfill="yes"),
    ],
)
async def test_what_the_schema_refuses_the_door_refuses(
    door: Door, document: dict[str, Any], operation: dict[str, Any], mistake: dict[str, Any]
) -> None:
    assert not fits(document, request_schema(operation, "application/cloudevents+json"), mistake)
    assert (await door.post(mistake)).status_code == 400


@pytest.mark.parametrize(
    "told", [event(time=None), event(data=None), event(type="csm.account.changed", data=None)]
)
async def test_what_may_be_left_out_may_be_null(
    door: Door, document: dict[str, Any], operation: dict[str, Any], told: dict[str, Any]
) -> None:
    assert fits(document, request_schema(operation, "application/cloudevents+json"), told)
    assert (await door.post(told)).status_code == 202


async def test_answers_fit_their_schemas(
    door: Door, document: dict[str, Any], operation: dict[str, Any]
) -> None:
    for body in (
        event(),
        event(),
        event(subject="another"),
        [event()],
        [event(id="e-2"), event(id=...)],
        [event(id=...)],
        event(id=...),
        b"{",
        [],
        event(data={"text": "x" * 40_000}),
    ):
        response = await door.post(body)
        content = operation["responses"][str(response.status_code)]["content"]
        schema = content[response.headers["content-type"]]["schema"]
        assert fits(document, schema, response.json()), response.text


async def test_the_example_of_a_refusal_is_a_real_one(door: Door, operation: dict[str, Any]) -> None:
    examples = operation["responses"]["400"]["content"]["application/problem+json"]["examples"]

    assert (await door.post(MISTAKEN)).json() in [each["value"] for each in examples.values()]


async def test_examples_of_receipts_fit(document: dict[str, Any], operation: dict[str, Any]) -> None:
    content = operation["responses"]["202"]["content"]["application/json"]

    assert all(fits(document, content["schema"], each["value"]) for each in content["examples"].values())


async def test_nothing_is_referred_to_that_is_not_there(document: dict[str, Any]) -> None:
    prefix = "#/components/schemas/"
    text = json.dumps(document)
    names = {part.partition('"')[0] for part in text.split(f'"$ref": "{prefix}')[1:]}

    assert names
    assert names <= set(document["components"]["schemas"])
    assert '"#/$defs' not in text


async def test_the_document_is_made_once(door: Door, document: dict[str, Any]) -> None:
    assert (await door.client.get("/openapi.json")).json() == document
