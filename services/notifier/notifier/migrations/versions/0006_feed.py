"""The health change feed: subscriptions, their deliveries, and what is known of the accounts."""

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Nothing yet."""
