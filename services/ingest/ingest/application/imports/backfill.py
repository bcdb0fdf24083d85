"""The end of a backfill: one fact for each account whose history came in, so that from now on its crossings are announced."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from csm_common.contracts.envelope import encode
from csm_common.contracts.facts import BackfillEnded
from csm_common.ids import derived_id
from ingest.application.shapes import read_time
from ingest.domain.decision import Rejected

_SOURCE = "/import"
_ACCOUNT_BYTES = 300


class Accounts:
    """The accounts of an import with the time of their newest event: a repeated import ends with the same facts."""

    def __init__(self) -> None:
        self._newest: dict[str, datetime] = {}

    @property
    def size(self) -> int:
        """About how many bytes of memory they take."""
        return _ACCOUNT_BYTES * len(self._newest)

    def saw(self, event: Mapping[str, Any]) -> None:
        """An event that was taken."""
        time = read_time(event["time"])
        if not isinstance(time, Rejected):
            account = event["subject"]
            self._newest[account] = max(time, self._newest.get(account, time))

    def ended(self, content: str, source: str | None) -> Iterator[bytes]:
        """The facts, in the order of the accounts; `content` tells the file from all others."""
        source = source or _SOURCE
        import_id = derived_id("import", source, content)
        for account, time in sorted(self._newest.items()):
            yield encode(
                id=derived_id("backfill-ended", import_id, account, time.isoformat()),
                source=source,
                type="csm.backfill.ended",
                subject=account,
                time=time,
                data=BackfillEnded(import_id=import_id),
            )
