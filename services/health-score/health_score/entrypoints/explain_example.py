"""An example for the OpenAPI document: the worked explanation of docs/explanations.md, shortened."""

from typing import Any

EXAMPLE: dict[str, Any] = {}
