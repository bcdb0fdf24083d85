"""What is left of an account that was erased: the number behind which it begins if it comes back."""

from alembic import op

revision = "0002"
down_revision = "0001"

_ERASED = """
CREATE TABLE erased (
    account_id text PRIMARY KEY,
    revision bigint NOT NULL
)
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(_ERASED)
