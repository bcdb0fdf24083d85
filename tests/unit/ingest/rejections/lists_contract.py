"""What the lists of rejections must do; run on the fake here and on PostgreSQL in the integration tier."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec
import pytest
from tests.support.clock import START

from csm_common.ids import derived_id
from ingest.application.ports import Rejection
from ingest.application.rejection_views import RejectionCount, RejectionFilter, RejectionReads

MINUTE = timedelta(minutes=1)
LATER = START + timedelta(days=1)


class Lists(Protocol):
    """The lists, and the table behind them."""

    reads: RejectionReads

    async def keep(self, *rejections: Rejection) -> None:
        """Add them, in one transaction."""
        ...

    async def replayed(self, *ids: str) -> None:
        """They were taken after all."""
        ...


def a_rejection(name: str, at: datetime = START, **told: Any) -> Rejection:
    """A message that is not on the log."""
    usual: dict[str, Any] = {
        "id": derived_id("rejection", name),
        "message_key": derived_id("message", name),
        "message_id": name,
        "source": "crm",
        "format": "cloudevents",
        "code": "invalid_data",
        "reason": f"{name} is wrong.",
        "body": b'{"a": 1}',
        "context": {"line": "3"},
        "received_at": at,
        "listed_from": at,
        "digest": b"d",
    }
    return Rejection(**usual | told)


async def listed(lists: Lists, now: datetime = LATER, **wanted: Any) -> list[str | None]:
    """The messages' ids."""
    page = await lists.reads.page(RejectionFilter(**wanted), now, before=None, limit=50)
    return [view.message_id for _, view in page]


class ListsContract:
    """Subclass it with a fixture `lists`."""

    async def test_a_rejection_is_shown_as_it_was_kept(self, lists: Lists) -> None:
        kept = a_rejection("a")
        await lists.keep(kept)
        await lists.keep(kept)

        view = await lists.reads.one(kept.id, LATER)

        assert view is not None
        told = asdict(view)
        assert bytes(told.pop("body")) == b'{"a": 1}'
        assert told == {
            "id": kept.id, "source": "crm", "format": "cloudevents", "code": "invalid_data", "reason": "a is wrong.",
            "message_id": "a", "times": 2, "received_at": START, "last_seen_at": START, "replayed_at": None,
            "context": {"line": "3"},
        }  # fmt: skip
        assert await lists.reads.one(derived_id("none"), LATER) is None

    @pytest.mark.parametrize(
        ("body", "told"),
        [
            (b'"text"', msgspec.Raw(b'"text"')),
            (b"{", "{"),
            (b"\xff", "\ufffd"),
            (b"", ""),
            (b"[" * 9_000, "[" * 9_000),
        ],
    )
    async def test_bodies_are_json_where_they_are_json(self, lists: Lists, body: bytes, told: object) -> None:
        await lists.keep(a_rejection("a", body=body))

        ((_, view),) = await lists.reads.page(RejectionFilter(), LATER, before=None, limit=1)

        assert view.body == told

    async def test_filters_hold_together(self, lists: Lists) -> None:
        await lists.keep(
            a_rejection("a"),
            a_rejection("b", START + MINUTE, source="app"),
            a_rejection("c", START + 2 * MINUTE, code="invalid_json"),
            a_rejection("d", START + 3 * MINUTE, format="segment"),
        )

        assert await listed(lists) == ["d", "c", "b", "a"]
        assert await listed(lists, source="crm") == ["d", "c", "a"]
        assert await listed(lists, source="crm", code="invalid_data") == ["d", "a"]
        assert await listed(lists, format="segment") == ["d"]
        assert await listed(lists, since=START + MINUTE, until=START + 3 * MINUTE) == ["c", "b"]
        assert await listed(lists, source="nobody") == []

    async def test_what_was_replayed_is_no_longer_open(self, lists: Lists) -> None:
        await lists.keep(a_rejection("a"), a_rejection("b"))
        await lists.replayed(a_rejection("a").id)

        assert await listed(lists) == ["b"]
        assert await listed(lists, status="replayed") == ["a"]
        assert sorted(map(str, await listed(lists, status="all"))) == ["a", "b"]
        view = await lists.reads.one(a_rejection("a").id, LATER)
        assert view is not None
        assert view.replayed_at is not None
        assert [each.rejections for each in await lists.reads.counts(LATER)] == [1]

    async def test_what_waits_for_its_account_is_listed_once_it_has_waited_long_enough(
        self, lists: Lists
    ) -> None:
        waiting = a_rejection(
            "a", code="unattributed", person="kim", drafts=b"[]", listed_from=START + MINUTE
        )
        await lists.keep(waiting)

        assert await listed(lists, now=START) == []
        assert await lists.reads.one(waiting.id, START) is None
        assert await lists.reads.counts(START) == []
        assert await listed(lists, now=START + MINUTE, code="unattributed") == ["a"]

    async def test_pages_go_from_the_latest_to_the_first(self, lists: Lists) -> None:
        await lists.keep(*(a_rejection(str(number), START + (number // 2) * MINUTE) for number in range(5)))

        first = await lists.reads.page(RejectionFilter(), LATER, before=None, limit=2)
        rest = await lists.reads.page(RejectionFilter(), LATER, before=first[-1][0], limit=9)

        everyone = [view.message_id for _, view in [*first, *rest]]
        assert everyone[0] == "4"
        assert set(everyone[1:3]) == {"2", "3"}
        assert set(everyone[3:]) == {"0", "1"}

    async def test_counts_are_by_source_and_code_and_the_greatest_first(self, lists: Lists) -> None:
        twice = a_rejection("c", START + MINUTE)
        await lists.keep(a_rejection("a", code="invalid_json"), a_rejection("b"), twice)
        await lists.keep(twice)

        assert await lists.reads.counts(LATER) == [
            RejectionCount(
                source="crm", code="invalid_data", rejections=2, times=3, last_seen_at=START + MINUTE
            ),
            RejectionCount(source="crm", code="invalid_json", rejections=1, times=1, last_seen_at=START),
        ]
