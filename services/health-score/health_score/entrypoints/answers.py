"""What every router of health-score answers with: JSON, an account's id in a path, and the account that nobody knows."""

from typing import Annotated

import msgspec
from fastapi import Path
from starlette.responses import Response

NO_NUL = r"^[^\x00]*$"
"""PostgreSQL has no NUL in a text, so nothing that holds one can be found."""

AccountId = Annotated[str, Path(pattern=NO_NUL, description="As events tell it; it may hold slashes.")]


def json_answer(body: object) -> Response:
    """200 with `body` as JSON; msgspec.Raw inside it goes out as it is."""
    return Response(msgspec.json.encode(body), media_type="application/json")
