"""REST for whoever answers to people's requests: erase a contact or an account everywhere, and read what was erased."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query

from csm_common.web.auth import require
from ingest.application.erase import Erase, ErasureReport
from ingest.domain.names import LONGEST
from ingest.entrypoints.lists import refusals

SCOPE = "erasure:write"

_PLAIN = r"^[^\x00-\x1f\x7f-\x9f]+$"
ContactId = Annotated[
    str,
    Path(min_length=1, max_length=LONGEST, pattern=_PLAIN, description="Any name that the person goes by."),
]
AccountId = Annotated[str, Path(min_length=1, max_length=LONGEST, pattern=_PLAIN)]
OneAccount = Annotated[
    str | None,
    Query(
        min_length=1,
        max_length=LONGEST,
        pattern=_PLAIN,
        description="Only in this account; otherwise in all that know the contact.",
    ),
]


def erasure_routes(erase: Erase) -> APIRouter:
    """DELETE /v1/contacts/{id} and /v1/accounts/{id}, GET /v1/erasures/{id}."""
    router = APIRouter(
        prefix="/v1",
        tags=["erasure"],
        dependencies=[Depends(require(SCOPE))],
        responses=refusals(400, 401, 403, 404, 422, 503),
    )

    @router.delete("/contacts/{id:path}", summary="Erase a person")
    async def contact(id: ContactId, account: OneAccount = None) -> ErasureReport:
        """Forget the person here and in every other service. Again, it erases what has come since."""
        return await erase.contact(id, account)

    @router.delete("/accounts/{id:path}", summary="Erase an account")
    async def account(id: AccountId) -> ErasureReport:
        """Forget the account with everybody in it, here and in every other service. A later fact starts it afresh."""
        return await erase.account(id)

    @router.get("/erasures/{id}", summary="What an erasure erased")
    async def erasure(id: UUID) -> ErasureReport:
        """The report that the DELETE answered."""
        return await erase.report(str(id))

    return router
