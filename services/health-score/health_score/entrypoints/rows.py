"""Row-level limits at the door: whose accounts the caller may see. What lies beyond is not there: 404, never 403.

A list takes `rows: SeenRows` and passes it to its query (adapters/visible.py has the SQL); a route of one account has
`dependencies=[Depends(sees_account(sight))]`. A route with neither must keep to `require(scope)`, which refuses limited callers.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Protocol

from fastapi import Depends

from csm_common.web.auth import Principal, require
from csm_common.web.rows import Rows
from health_score.application.read_ports import unknown_account
from health_score.entrypoints.answers import AccountId

SCOPE = "health:read"

Reader = Annotated[Principal, Depends(require(SCOPE, limited=True))]


class Sight(Protocol):
    """Tells whether an account is one of the rows."""

    async def sees(self, rows: Rows, account_id: str) -> bool:
        """True at once where all may be seen."""
        ...


async def _rows(reader: Reader) -> Rows:
    return reader.rows


SeenRows = Annotated[Rows, Depends(_rows)]
"""The rows that a list is to keep to."""


def sees_account(sight: Sight) -> Callable[..., Awaitable[None]]:
    """A dependency of routes with `{account_id}` in their path: NotFoundError where the caller may not see the account."""

    async def check(account_id: AccountId, reader: Reader) -> None:
        if not await sight.sees(reader.rows, account_id):
            raise unknown_account(account_id)

    return check
