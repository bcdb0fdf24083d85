"""Answers of a real run, as examples in the OpenAPI document; a test checks that they are what their models say."""

from typing import Any

PAGE: Any = {}
ACCOUNT: Any = {}
HEALTH: Any = {}
STATS: Any = {}
FLEET: Any = {}
NDJSON = ""
CSV = ""
UNAUTHENTICATED: Any = {}
FORBIDDEN: Any = {}
UNKNOWN: Any = {}
INVALID: Any = {}
REFUSED: Any = {}
