"""Settings of the health change feed (`CSM_NOTIFIER__FEED__DISABLE_AFTER=3d`)."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from notifier.application.feed_delivery import FeedRules
from notifier.domain.retries import RetrySchedule
from notifier.domain.subscriptions import DisableRules


def _schedule(line: str) -> str:
    RetrySchedule.parse(line)
    return line


def _time(line: str) -> str:
    if len(RetrySchedule.parse(line).pauses) != 1:
        raise ValueError("write one time, as in: 3d")
    return line


def span(line: str) -> timedelta:
    """The time of a line that is one."""
    return RetrySchedule.parse(line).pauses[0]


Time = Annotated[str, AfterValidator(_time)]


class FeedSettings(BaseModel):
    """How subscribers are told, and when they are given up."""

    retries: Annotated[str, AfterValidator(_schedule)] = Field(
        default="5s, 30s, 2m, 10m, 1h, 6h, 12h",
        description="The pauses after failed attempts, each longer by up to a fifth at random.",
    )
    disable_after: Time = Field(
        default="3d", description="A subscription is disabled when no attempt has succeeded for so long …"
    )
    disable_after_given_up: int = Field(
        default=50, ge=1, description="… or when so many deliveries in a row were given up."
    )
    at_once: int = Field(default=4, ge=1, description="At most so many calls to one endpoint at a time.")
    concurrency: int = Field(default=32, ge=1, description="At most so many calls at once in all.")
    lease_s: float = Field(
        default=60.0, ge=20, description="After this long a sender that tells nothing is taken for dead."
    )
    interval_s: float = Field(default=1.0, gt=0, description="How often is looked for retries that are due.")
    backlog: int = Field(
        default=10_000,
        ge=1,
        description="So many may wait for a subscription; beyond it the oldest are dropped.",
    )
    replay_per_s: float = Field(
        default=20.0, gt=0, description="The rate at which replays, and what waited while disabled, are sent."
    )
    overlap: Time = Field(
        default="24h", description="So long an old secret signs beside a new one, unless told."
    )
    kept: Time = Field(default="30d", description="Deliveries are kept for so long after they ended …")
    failed_kept: Time = Field(default="90d", description="… and those that failed for so long.")

    @property
    def rules(self) -> FeedRules:
        """What of this the deliveries go by."""
        return FeedRules(
            retries=RetrySchedule.parse(self.retries),
            lease=timedelta(seconds=self.lease_s),
            disable=DisableRules(after=span(self.disable_after), given_up=self.disable_after_given_up),
            at_once=self.at_once,
        )

    @property
    def overlap_time(self) -> timedelta:
        """`overlap` as a time."""
        return span(self.overlap)

    @property
    def kept_time(self) -> timedelta:
        """`kept` as a time."""
        return span(self.kept)

    @property
    def failed_kept_time(self) -> timedelta:
        """`failed_kept` as a time."""
        return span(self.failed_kept)
