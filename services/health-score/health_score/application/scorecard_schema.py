"""The JSON Schema of a scorecard file, for editors: it tells what keys there are and what they mean while somebody writes."""

from functools import cache
from typing import Any

from health_score.application.scorecard_parts import ScorecardPart

ID = "urn:csm:scorecard:1"


@cache
def scorecard_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. Whether the parts fit each other is told by validating a file."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID}
    return head | ScorecardPart.model_json_schema() | {"title": "Scorecard"}
