"""The time of an event: an instant somebody could have seen."""

from datetime import UTC, datetime, timedelta

from ingest.domain.decision import Rejected

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
FUTURE_TOLERANCE = timedelta(hours=24)
"""A sender's clock may be ahead by so much."""


def time_problem(time: datetime, now: datetime) -> Rejected | None:
    """Refuses times without a zone, from before 2000, or further ahead of `now` than clocks are wrong."""
    if time.tzinfo is None:
        return Rejected("invalid_time", "time has no zone: end it with Z or an offset such as +02:00.")
    if time < EARLIEST:
        return Rejected(
            "time_implausible", f"time is {time.isoformat()}, before 2000: is it in the right unit?"
        )
    if time > now + FUTURE_TOLERANCE:
        return Rejected(
            "time_in_future",
            f"time is {time.isoformat()}, more than 24 h after now ({now.isoformat()}): check the sender's clock.",
        )
    return None
