"""The contact directory, notifications with their attempts, positions and outbox."""

from alembic import op

from csm_common.database.outbox import CREATE_OUTBOX
from csm_common.database.positions import CREATE_POSITIONS

revision = "0001"
down_revision = None

_CONTACTS = """
CREATE TABLE contacts (
    account_id text NOT NULL,
    contact_id text NOT NULL,
    record_key bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    details jsonb NOT NULL,
    consents jsonb NOT NULL,
    PRIMARY KEY (account_id, contact_id)
)
"""

# wake_at is when a row next needs somebody: at once, when to try again, when the sender's lease runs out; NULL when it is final.
# attempt counts claims and fences: a record of an attempt that is no longer the present one changes nothing.
_NOTIFICATIONS = """
CREATE TABLE notifications (
    id text PRIMARY KEY,
    account_id text NOT NULL,
    run_id text NOT NULL,
    playbook text NOT NULL,
    playbook_version integer NOT NULL,
    step text NOT NULL,
    channel text NOT NULL,
    category text NOT NULL,
    message_class text NOT NULL,
    template text NOT NULL,
    recipients jsonb NOT NULL,
    context jsonb NOT NULL,
    chain jsonb NOT NULL,
    traceparent text,
    requested_at timestamptz NOT NULL,
    expires_at timestamptz,
    received_at timestamptz NOT NULL,
    status text NOT NULL,
    reason text,
    wake_at timestamptz,
    lease_owner text,
    attempt integer NOT NULL DEFAULT 0,
    recipient_kind text,
    recipient_contact_id text,
    recipient_why text,
    finished_at timestamptz
) WITH (fillfactor = 70)
"""

_ATTEMPTS = """
CREATE TABLE attempts (
    notification_id text NOT NULL REFERENCES notifications ON DELETE CASCADE,
    number integer NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text,
    code integer,
    detail text,
    PRIMARY KEY (notification_id, number)
) WITH (fillfactor = 70)
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(CREATE_POSITIONS)
    op.execute(CREATE_OUTBOX)
    op.execute(_CONTACTS)
    op.execute("CREATE INDEX contacts_record_key ON contacts (record_key)")
    op.execute(_NOTIFICATIONS)
    op.execute("CREATE INDEX notifications_due ON notifications (wake_at) WHERE wake_at IS NOT NULL")
    op.execute("CREATE INDEX notifications_newest ON notifications (requested_at DESC, id DESC)")
    op.execute(
        "CREATE INDEX notifications_by_account ON notifications (account_id, requested_at DESC, id DESC)"
    )
    op.execute("CREATE INDEX notifications_by_status ON notifications (status, requested_at DESC, id DESC)")
    op.execute(_ATTEMPTS)
