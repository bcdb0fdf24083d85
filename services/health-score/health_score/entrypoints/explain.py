"""REST: why an account's score is what it is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from health_score.application.explaining import Explainer, HealthExplanation
from health_score.entrypoints.answers import AccountId, json_answer
from health_score.entrypoints.explain_example import EXAMPLE
from health_score.entrypoints.rows import Sight, sees_account
from health_score.entrypoints.times import Time

_DESCRIPTION = """
Every measure with its value, the line of the curve it lies on, its points, its share of the score and what that earns and misses;
knock-outs, the override, coverage, thresholds; what comes next if nothing arrives; what would help most; and with `since` what is
different from an earlier time. A person can recompute the score from it with a pencil: Σ `share` · `points` = `computed`.

`text` is the same in words.
"""


def create_explain_router(explainer: Explainer, sight: Sight) -> APIRouter:
    """The route under /v1. To be included before that of the account itself, whose id may hold slashes."""
    router = APIRouter(prefix="/v1", dependencies=[Depends(sees_account(sight))], tags=["explanations"])

    @router.get(
        "/accounts/{account_id:path}/health/explain",
        response_model=HealthExplanation,
        summary="Why its score is what it is",
        description=_DESCRIPTION,
        responses={200: {"content": {"application/json": {"example": EXAMPLE}}}},
    )
    async def explain(
        account_id: AccountId,
        since: Annotated[
            Time | None,
            Query(description="Also tell what changed since this time.", examples=["2026-03-01T00:00:00Z"]),
        ] = None,
        at: Annotated[
            Time | None,
            Query(
                description="Explain the account as it was told at this time, instead of as it is now.",
                examples=["2026-03-02T09:00:00Z"],
            ),
        ] = None,
    ) -> Response:
        return json_answer(await explainer.explain(account_id, since=since, at=at))

    return router
