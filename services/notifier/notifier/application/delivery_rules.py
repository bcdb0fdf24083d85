"""What an operator decides about deliveries."""

from dataclasses import dataclass
from datetime import timedelta

from notifier.domain.policy import ContactPolicy
from notifier.domain.retries import RetrySchedule


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRules:
    """See the settings of the same names."""

    retries: RetrySchedule
    lease: timedelta
    contact_policy: ContactPolicy
    team_inbox: str | None = None
    directory_grace: timedelta = timedelta(0)
