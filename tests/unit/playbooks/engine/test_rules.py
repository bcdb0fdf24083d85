"""The rules of steps as the settings give them."""

import pytest

from csm_common.errors import FatalError
from playbooks.assembly import rules_of
from playbooks.settings import PlaybookSettings


def test_a_condition_that_can_hold_nothing_back_stops_the_start_with_the_setting_s_name() -> None:
    with pytest.raises(FatalError, match=r"CSM_PLAYBOOKS__HOLD_SALES_WHILE cannot be used: .*tresholds"):
        rules_of(PlaybookSettings(hold_sales_while="'escalated' in tresholds"))


def test_sales_wait_for_escalations_unless_told_otherwise() -> None:
    rules = rules_of(PlaybookSettings())
    assert rules.hold is not None
    assert rules.hold.reason == "nothing is sold to the account while 'escalated' in thresholds"
