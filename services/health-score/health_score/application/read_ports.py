"""What the REST API for CS tooling needs of the outside: reads without locks, of what is committed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from csm_common.errors import NotFoundError
from csm_common.web.rows import Rows
from health_score.application.account_query import AccountFilters
from health_score.application.ports import Stats
from health_score.application.walk import Key, Order, Place
from health_score.domain.account import AccountState


def unknown_account(account_id: str) -> NotFoundError:
    """For an account that is not known, or that the caller may not see."""
    return NotFoundError(f"No fact about the account {account_id!r} has been folded yet.")


@dataclass(frozen=True, slots=True)
class ListedRow:
    """An account of a list: its sort key, its snapshot as JSON, its change where asked for; `seen` as Place tells."""

    account_id: str
    key: Key
    change: float | None
    snapshot: bytes
    seen: str


class AccountReads(Protocol):
    """One account, and the counts."""

    async def sees(self, rows: Rows, account_id: str) -> bool:
        """Whether the account is one of the rows; True at once where all may be seen."""
        ...

    async def snapshot(self, account_id: str) -> bytes | None:
        """The account's snapshot (JSON)."""
        ...

    async def state(self, account_id: str) -> AccountState | None:
        """The account's state."""
        ...

    async def stats(self) -> Stats:
        """What became of all records so far."""
        ...


class AccountLists(Protocol):
    """Accounts by filter and order."""

    async def page(
        self,
        filters: AccountFilters,
        rows: Rows,
        order: Order,
        after: Place | None,
        limit: int,
        now: datetime,
    ) -> list[ListedRow]:
        """At most `limit` accounts behind `after`, in order, among the rows that may be seen."""
        ...

    async def count(self, filters: AccountFilters, rows: Rows, now: datetime) -> int:
        """How many accounts pass."""
        ...
