"""What people did with messages, and the mails that told it."""

from alembic import op

revision = "0007"
down_revision = "0006"

# One row for each thing that was told as a fact, so that following a link a thousand times is one fact. No reference to the
# notification: it would lock the row under the person's lock, while a sender takes the two the other way round.
_RESPONSES = """
CREATE TABLE responses (
    notification_id text NOT NULL,
    status text NOT NULL,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (notification_id, status, number)
)
"""

# Of a mail nothing is kept but a hash that knows it again, and what it was taken for.
_INBOUND_MAILS = """
CREATE TABLE inbound_mails (
    key text PRIMARY KEY,
    kind text NOT NULL,
    notification_id text,
    taken_at timestamptz NOT NULL
)
"""


def upgrade() -> None:
    """Make them."""
    op.execute(_RESPONSES)
    op.execute(_INBOUND_MAILS)
    op.execute("CREATE INDEX inbound_mails_oldest ON inbound_mails (taken_at)")
