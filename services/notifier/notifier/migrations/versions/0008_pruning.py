"""Ways to what is old, and to what died lately."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Make them."""
    # Rows lie about in the order of their times, so this finds the old ones and costs next to nothing.
    op.execute("CREATE INDEX contacted_oldest ON contacted USING brin (at) WITH (pages_per_range = 32)")
    op.execute(
        "CREATE INDEX notifications_died ON notifications (finished_at)"
        " WHERE status IN ('failed', 'undeliverable', 'unknown')"
    )
