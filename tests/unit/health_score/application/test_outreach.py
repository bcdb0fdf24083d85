"""What became of messages, as the notifier tells it: counted like any fact, and of no weight unless a measure asks for it."""

import msgspec
import pytest
from tests.support.health_score import event, record
from tests.unit.health_score.application.owner import Owner, commit, crossings

from csm_common.contracts.facts import OutreachChanged
from health_score.domain.signals import Selector

STATUSES = [
    "delivered",
    "failed",
    "undeliverable",
    "expired",
    "cancelled",
    "suppressed",
    "capped",
    "dropped",
    "folded",
    "unknown",
    "bounced",
    "complained",
    "opened",
    "clicked",
    "replied",
    "unsubscribed",
    "resubscribed",
]


def told(status: str) -> dict[str, object]:
    """The fact's data."""
    data = OutreachChanged(
        id="n-1", status=status, channel="email", category="expansion", code=550, answer="hard"
    )
    found: dict[str, object] = msgspec.to_builtins(data)
    return found


async def test_every_status_folds_and_starts_nothing() -> None:
    owner = Owner()
    facts = [event(f"o{n}", "acme", "csm.outreach.changed", told(each)) for n, each in enumerate(STATUSES)]
    await commit(await owner.start(), *(record(n, each) for n, each in enumerate(facts)))
    assert owner.accounts.rows["acme"].state.folded == len(STATUSES)
    assert crossings(owner) == []


@pytest.mark.parametrize("status", STATUSES)
def test_a_measure_can_count_one_status_and_one_kind_of_it(status: str) -> None:
    bounces = Selector(("csm.outreach.changed",), where={"status": ("bounced",), "answer": ("hard",)})
    assert bounces.matches(told(status)) is (status == "bounced")
