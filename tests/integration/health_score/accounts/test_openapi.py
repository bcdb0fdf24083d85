"""The OpenAPI document is true: examples are what the models say, all is described, and whatever is asked is answered."""

from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.health_score.accounts.crowd import Crowd

Document = dict[str, Any]
PATHS = [
    "/v1/accounts",
    "/v1/accounts:export",
    "/v1/accounts/{account_id}/health",
    "/v1/accounts/{account_id}",
    "/v1/stats",
    "/v1/fleet",
]


@pytest.fixture(scope="module")
def document(crowd: Crowd) -> Document:
    """The document as it is served."""
    return crowd.app.openapi()


def test_it_has_all_paths(document: Document) -> None:
    assert sorted(each for each in document["paths"] if each.startswith("/v1")) == sorted(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_examples_are_what_the_models_say(document: Document, path: str) -> None:
    answers = document["paths"][path]["get"]["responses"]
    assert {"200", "401", "403"} <= answers.keys()
    for status, answer in answers.items():
        for media, content in answer.get("content", {}).items():
            assert content["example"], f"{path} {status} {media} has no example"
            schema = {**content["schema"], "components": document["components"]}
            jsonschema_rs.validator_for(schema).validate(content["example"])


@pytest.mark.parametrize("path", PATHS)
def test_every_route_and_parameter_is_described(document: Document, path: str) -> None:
    operation = document["paths"][path]["get"]
    assert operation["summary"]
    for each in operation.get("parameters", []):
        assert each.get("description") or each["schema"].get("description"), f"{path} {each['name']}"


@st.composite
def queries(draw: st.DrawFn, parameters: list[Document]) -> dict[str, Any]:
    """Some of the parameters with values of their kind, or with anything."""
    texts = st.text(max_size=20) | st.sampled_from(
        ["tier:1", "a:b", "\0", "2026-01-01", "-1", "1e400", "owner"]
    )
    values = st.one_of(texts, st.integers(-5, 600), st.floats(), st.booleans(), st.lists(texts, max_size=3))
    chosen = draw(st.lists(st.sampled_from(parameters), max_size=4, unique_by=lambda each: each["name"]))
    found = {}
    for each in chosen:
        schema = each["schema"]
        listed = [*schema.get("enum", []), *schema.get("items", {}).get("enum", [])]
        found[each["name"]] = draw((st.sampled_from(listed) | values) if listed else values)
    return found


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(path=st.sampled_from(["/v1/accounts", "/v1/accounts:export", "/v1/fleet"]), data=st.data())
async def test_whatever_is_asked_is_answered_as_documented(
    crowd: Crowd, document: Document, path: str, data: st.DataObject
) -> None:
    operation = document["paths"][path]["get"]
    query = data.draw(queries(operation["parameters"]))
    answer = await crowd.client.get(path, params=query)
    documented = operation["responses"][str(answer.status_code)]
    assert answer.status_code in (200, 400, 422)
    if "json" in answer.headers["content-type"] and "ndjson" not in answer.headers["content-type"]:
        media = answer.headers["content-type"].partition(";")[0]
        schema = documented["content"][media]["schema"]
        if "fields" not in query:
            whole = {**schema, "components": document["components"]}
            jsonschema_rs.validator_for(whole).validate(answer.json())
