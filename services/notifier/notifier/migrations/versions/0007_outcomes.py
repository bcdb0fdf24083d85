"""What people did with messages, and the mails that told it."""

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing yet."""
