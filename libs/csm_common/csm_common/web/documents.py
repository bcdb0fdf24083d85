"""Examples in the OpenAPI document with their nulls: FastAPI leaves every null out of it, which a reader takes for absent."""

from typing import Any

from fastapi import FastAPI

_NULL = "\x00null"
"""Stands for null while FastAPI makes the document; no example holds it."""


def example_of(answer: Any) -> Any:
    """A JSON value as it is to be given to a route, so that the document tells it whole."""
    return _replaced(answer, None, _NULL)


def keep_nulls(app: FastAPI) -> None:
    """Have the document of `app` tell such examples as they are."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _replaced(made(), _NULL, None)
        return made()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend its document


def _replaced(value: Any, old: str | None, new: str | None) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(each, old, new) for name, each in value.items()}
    if isinstance(value, list):
        return [_replaced(each, old, new) for each in value]
    return new if value == old else value
