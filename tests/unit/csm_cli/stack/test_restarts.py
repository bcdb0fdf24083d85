"""A service that dies comes back at once, then ever later, and not for ever."""

from hypothesis import given
from hypothesis import strategies as st

from csm_cli.stack.restarts import PAUSES_SECONDS, WINDOW_SECONDS, Restarts


def test_the_first_death_is_mended_at_once_and_the_sixth_in_a_minute_not_at_all() -> None:
    restarts = Restarts()

    pauses = [restarts.pause(now=100.0 + second) for second in range(6)]

    assert pauses == [0.0, 0.5, 1.0, 2.0, 4.0, None]


def test_deaths_are_forgotten_after_a_minute() -> None:
    restarts = Restarts()
    for second in range(5):
        restarts.pause(now=float(second))

    assert restarts.pause(now=60.0) == 4.0  # the death at second 0 no longer counts
    assert restarts.pause(now=60.5) is None
    assert restarts.pause(now=1000.0) == 0.0


@given(st.lists(st.floats(min_value=0, max_value=100, allow_nan=False), max_size=60))
def test_never_more_than_five_restarts_in_any_minute(gaps: list[float]) -> None:
    restarts, now, granted = Restarts(), 0.0, []
    for gap in gaps:
        now += gap
        if restarts.pause(now) is not None:
            granted.append(now)

    for start in granted:
        assert len([at for at in granted if start <= at < start + WINDOW_SECONDS]) <= len(PAUSES_SECONDS)
