"""When accounts were erased: what was asked for before that is not taken in any more, however late it comes."""

from alembic import op

revision = "0002"
down_revision = "0001"

_ERASURES = """
CREATE TABLE erasures (
    account_id text PRIMARY KEY,
    erased_at timestamptz NOT NULL
)
"""


def upgrade() -> None:
    """Make the table."""
    op.execute(_ERASURES)
