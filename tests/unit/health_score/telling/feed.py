"""The change feed's reads in memory: transactions that commit in any order, as PostgreSQL lets them."""

from tests.support.health_score_telling import change

from health_score.application.changes_ports import FeedRow, Position


class MemoryFeed:
    """FeedReads in memory. `looks` counts what would be a query."""

    def __init__(self) -> None:
        self.looks = 0
        self._next = 1
        self._open: dict[int, list[FeedRow]] = {}
        self._rows: list[FeedRow] = []

    def begin(self) -> int:
        """A transaction."""
        xact, self._next = self._next, self._next + 1
        self._open[xact] = []
        return xact

    def tell(self, xact: int, account: str, revision: int, score: float = 40.0) -> None:
        """A change in it, which nobody sees yet."""
        row = FeedRow(Position(xact, account, revision), change(account, revision, score), None, None)
        self._open[xact].append(row)

    def commit(self, xact: int) -> None:
        """It lasts."""
        self._rows += self._open.pop(xact)
        self._rows.sort(key=lambda row: row.position)

    def told(self, account: str, *revisions: int) -> None:
        """Changes in a transaction of their own."""
        xact = self.begin()
        for revision in revisions:
            self.tell(xact, account, revision)
        self.commit(xact)

    def erased(self, account: str, revision: int) -> None:
        """An erasure in a transaction of its own; the account's changes are gone."""
        xact = self.begin()
        self._rows = [row for row in self._rows if row.position.account_id != account]
        self._open[xact].append(FeedRow(Position(xact, account, revision), None, None, None))
        self.commit(xact)

    async def head(self) -> Position:
        """Before the oldest transaction that runs."""
        self.looks += 1
        return Position(min(self._open, default=self._next), "", -1)

    async def read(self, after: Position, until: Position, limit: int) -> list[FeedRow]:
        """The rows behind `after` up to `until`, in order."""
        self.looks += 1
        return [row for row in self._rows if after < row.position <= until][:limit]
