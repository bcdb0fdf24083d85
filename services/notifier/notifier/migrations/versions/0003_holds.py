"""How many attempts ended in a hold for want of a contact: those use up nothing of the retry schedule."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the count."""
    op.execute("ALTER TABLE notifications ADD COLUMN held integer NOT NULL DEFAULT 0")
