"""Settings of the feed, as an operator writes them."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from notifier.domain.subscriptions import DisableRules
from notifier.feed_settings import FeedSettings


def test_defaults_are_careful() -> None:
    settings = FeedSettings()
    assert settings.rules.disable == DisableRules(after=timedelta(days=3), given_up=50)
    assert (settings.rules.at_once, settings.rules.retries.attempts) == (4, 8)
    assert settings.kept_time == timedelta(days=30)
    assert settings.failed_kept_time == timedelta(days=90)
    assert settings.overlap_time == timedelta(hours=24)


@pytest.mark.parametrize(
    "told", [{"disable_after": "soon"}, {"kept": "1d, 2d"}, {"retries": "5"}, {"overlap": ""}], ids=str
)
def test_what_is_no_time_is_refused(told: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        FeedSettings.model_validate(told)
