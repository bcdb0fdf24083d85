"""The contact policy's tables, endpoints, digests and replays; attempts are sends alone."""

import secrets

from alembic import op
from sqlalchemy import text

revision = "0004"
down_revision = "0003"

# endpoint is where it will go, once that is known; person the pseudonym of whom it goes to; forgiven how many attempts a
# replay has taken off the retry schedule.
_NOTIFICATIONS = """
ALTER TABLE notifications
    ADD COLUMN kind text NOT NULL DEFAULT 'outreach',
    ADD COLUMN priority integer NOT NULL DEFAULT 0,
    ADD COLUMN if_held text NOT NULL DEFAULT 'later',
    ADD COLUMN held_by text,
    ADD COLUMN endpoint text,
    ADD COLUMN person text,
    ADD COLUMN folded_into text,
    ADD COLUMN forgiven integer NOT NULL DEFAULT 0,
    DROP COLUMN held
"""

_CONTACTED = """
CREATE TABLE contacted (
    notification_id text PRIMARY KEY,
    account_id text NOT NULL,
    person text,
    at timestamptz NOT NULL,
    priority integer NOT NULL,
    category text NOT NULL,
    message_class text NOT NULL
)
"""

_SUPPRESSIONS = """
CREATE TABLE suppressions (
    id text PRIMARY KEY,
    person text NOT NULL,
    category text,
    reason text NOT NULL,
    since timestamptz NOT NULL,
    account_id text,
    contact_id text,
    notification_id text,
    note text,
    lifted_at timestamptz
)
"""

_DECISIONS = """
CREATE TABLE decisions (
    notification_id text NOT NULL REFERENCES notifications ON DELETE CASCADE,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    word text NOT NULL,
    rule text NOT NULL,
    reason text NOT NULL,
    until timestamptz,
    PRIMARY KEY (notification_id, number)
)
"""

# When an endpoint that wants its messages one by one may have the next; the same for all senders.
_PACES = "CREATE TABLE paces (endpoint text PRIMARY KEY, next_at timestamptz NOT NULL)"

# Made once and never told: `addresses` turns addresses into pseudonyms, `links` signs what stands in mails.
_KEYS = "CREATE TABLE keys (name text PRIMARY KEY, key bytea NOT NULL)"


def upgrade() -> None:
    """Make them."""
    op.execute(_NOTIFICATIONS)
    op.execute("DELETE FROM attempts WHERE outcome IN ('skipped', 'held')")
    op.execute(_PACES)
    op.execute("CREATE INDEX notifications_in_hand ON notifications (person) WHERE status = 'sending'")
    op.execute("CREATE INDEX notifications_of_run ON notifications (run_id, person)")
    op.execute(
        "CREATE INDEX notifications_folded ON notifications (folded_into) WHERE folded_into IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX notifications_dead ON notifications (requested_at DESC, id DESC)"
        " WHERE status IN ('failed', 'undeliverable', 'unknown')"
    )
    op.execute(
        "CREATE INDEX notifications_for_digest ON notifications (person, channel) WHERE held_by = 'digest'"
    )
    op.execute(_CONTACTED)
    op.execute("CREATE INDEX contacted_person ON contacted (person, at)")
    op.execute("CREATE INDEX contacted_account ON contacted (account_id, at)")
    op.execute(_SUPPRESSIONS)
    op.execute(
        "CREATE UNIQUE INDEX suppressions_in_force ON suppressions (person, coalesce(category, ''), reason)"
        " WHERE lifted_at IS NULL"
    )
    op.execute("CREATE INDEX suppressions_newest ON suppressions (since DESC, id DESC)")
    op.execute(_DECISIONS)
    op.execute(_KEYS)
    for name in ("addresses", "links"):
        op.get_bind().execute(
            text("INSERT INTO keys (name, key) VALUES (:name, :key)"),
            {"name": name, "key": secrets.token_bytes(32)},
        )
