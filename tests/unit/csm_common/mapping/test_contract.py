"""A mapping takes from the contracts what a fact needs and what its fields are."""

import pytest

from csm_common.mapping.contract import field_kind, required_fields


def test_required_fields_are_those_without_a_default() -> None:
    assert required_fields("csm.ticket.changed") == {"ticket_id", "status"}
    assert required_fields("csm.account.changed") == frozenset()
    assert required_fields("acme.order.placed") == frozenset()


@pytest.mark.parametrize(
    ("fact_type", "field", "kind"),
    [
        ("csm.usage.recorded", "feature", "text"),
        ("csm.usage.recorded", "quantity", "number"),
        ("csm.usage.recorded", "succeeded", "bool"),
        ("csm.ticket.changed", "status", "text"),
        ("csm.ticket.changed", "priority", "text"),
        ("csm.account.changed", "renewal_date", "moment"),
        ("csm.churn.recorded", "decided_at", "moment"),
        ("csm.account.changed", "attributes", "keep"),
        ("csm.touchpoint.occurred", "participants", "keep"),
        ("csm.usage.recorded", "cost", "keep"),
        ("acme.order.placed", "total", "keep"),
    ],
)
def test_a_field_is_read_as_its_contract_says(fact_type: str, field: str, kind: str) -> None:
    assert field_kind(fact_type, field) == kind
