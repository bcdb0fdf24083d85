"""What the change feed and the list of crossings read by: the transaction of an erasure, and when a crossing was."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column and the indexes."""
    op.execute("ALTER TABLE erased ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id()")
    op.execute("CREATE INDEX erased_changes ON erased (xact, account_id, revision)")
    op.execute("CREATE INDEX crossings_occurred ON crossings (occurred_at, revision, id)")
