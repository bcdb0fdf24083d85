"""The OpenAPI document tells examples with their nulls."""

from fastapi import FastAPI

from csm_common.web.documents import example_of, keep_nulls

EXAMPLE = {"score": None, "parts": [{"name": "nps", "points": None}, None], "band": "neutral"}


def test_nulls_of_examples_stay() -> None:
    app = FastAPI()
    keep_nulls(app)

    @app.get("/", responses={200: {"content": {"application/json": {"example": example_of(EXAMPLE)}}}})
    def nothing() -> None:
        """Is only documented."""

    for _ in range(2):  # it is made once and kept
        told = app.openapi()["paths"]["/"]["get"]["responses"]["200"]["content"]["application/json"]
        assert told["example"] == EXAMPLE
