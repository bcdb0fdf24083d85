"""Documents that people write and send to be kept: YAML or JSON, of a size that a person can write."""

from typing import Any

YAML = "application/yaml"
LARGEST_DOCUMENT = 256 * 1024
"""Bytes: thirty times what is shipped of any kind."""


def document_of(what: str, schema: str) -> dict[str, Any]:
    """`openapi_extra` of a route that takes such a document; `schema` is the path that has its shape."""
    return {
        "requestBody": {
            "required": True,
            "description": f"{what}; `GET {schema}` has its shape.",
            "content": {
                YAML: {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object"}},
            },
        }
    }
