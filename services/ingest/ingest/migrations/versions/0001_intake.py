"""Persons and decisions, rejections, contacts, erasures, imports, what is known of sources, positions and outbox."""

from alembic import op

from csm_common.database.outbox import CREATE_OUTBOX
from csm_common.database.positions import CREATE_POSITIONS

revision = "0001"
down_revision = None

# Every name a person goes by, with the name they are known by; the account is on the row whose name is its own person.
_NAMES = """
CREATE TABLE names (
    name text PRIMARY KEY,
    person text NOT NULL,
    account_id text,
    joined_at timestamptz
) WITH (fillfactor = 70)
"""

# A row per message whose account had to be looked up, for as long as a sender may send it again.
_DECISIONS = """
CREATE TABLE decisions (
    message_key uuid PRIMARY KEY,
    digest bytea NOT NULL,
    account_id text NOT NULL,
    person text,
    decided_at timestamptz NOT NULL
)
"""

# What waits for its account is here, too, and is listed once it has waited long enough.
_REJECTIONS = """
CREATE TABLE rejections (
    id uuid PRIMARY KEY,
    message_key uuid NOT NULL,
    message_id text,
    source text NOT NULL,
    format text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    body bytea NOT NULL,
    context jsonb NOT NULL,
    digest bytea NOT NULL,
    person text,
    drafts bytea,
    received_at timestamptz NOT NULL,
    listed_from timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    times integer NOT NULL DEFAULT 1,
    replayed_at timestamptz
) WITH (fillfactor = 70)
"""

# Every field and every consent with the time at which it was told: {"email": {"value": "kim@acme.example", "at": "2026-…"}}.
_CONTACTS = """
CREATE TABLE contacts (
    account_id text NOT NULL,
    contact_id text NOT NULL,
    told_at timestamptz NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    consents jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (account_id, contact_id)
) WITH (fillfactor = 70)
"""

_ERASURES = """
CREATE TABLE erasures (
    id uuid PRIMARY KEY,
    account_id text,
    contact_id text,
    asked_at timestamptz NOT NULL,
    report jsonb NOT NULL
)
"""

_IMPORTS = """
CREATE TABLE imports (
    id text PRIMARY KEY,
    status text NOT NULL,
    format text,
    source text,
    backfill boolean NOT NULL,
    lines bigint NOT NULL DEFAULT 0,
    bytes bigint NOT NULL DEFAULT 0,
    accepted bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    reasons jsonb NOT NULL DEFAULT '{}',
    problem text,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    ended_at timestamptz
) WITH (fillfactor = 70)
"""

_SOURCE_MINUTES = """
CREATE TABLE source_minutes (
    source text NOT NULL,
    minute timestamptz NOT NULL,
    accepted bigint NOT NULL DEFAULT 0,
    duplicates bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    late bigint NOT NULL DEFAULT 0,
    last_event_at timestamptz NOT NULL,
    skew_s double precision,
    PRIMARY KEY (source, minute)
) WITH (fillfactor = 50)
"""

_VIOLATIONS = """
CREATE TABLE violations (
    source text NOT NULL,
    name text NOT NULL,
    path text NOT NULL,
    rule text NOT NULL,
    times bigint NOT NULL,
    example text NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (source, name, path, rule)
) WITH (fillfactor = 70)
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(CREATE_POSITIONS)
    op.execute(CREATE_OUTBOX)
    op.execute(_NAMES)
    op.execute("CREATE INDEX names_by_person ON names (person)")
    op.execute("CREATE INDEX names_by_account ON names (account_id) WHERE account_id IS NOT NULL")
    op.execute(_DECISIONS)
    op.execute("CREATE INDEX decisions_by_age ON decisions USING brin (decided_at)")
    op.execute(_REJECTIONS)
    op.execute("CREATE INDEX rejections_open ON rejections (listed_from, id) WHERE replayed_at IS NULL")
    op.execute("CREATE INDEX rejections_listed ON rejections (listed_from, id)")
    op.execute("CREATE INDEX rejections_by_reason ON rejections (source, code) WHERE replayed_at IS NULL")
    op.execute("CREATE INDEX rejections_by_message ON rejections (message_key)")
    op.execute("CREATE INDEX rejections_waiting ON rejections (person) WHERE person IS NOT NULL")
    op.execute(_CONTACTS)
    op.execute("CREATE INDEX contacts_by_id ON contacts (contact_id)")
    op.execute(_ERASURES)
    op.execute(_IMPORTS)
    op.execute("CREATE INDEX imports_newest ON imports (started_at DESC, id DESC)")
    op.execute(_SOURCE_MINUTES)
    op.execute("CREATE INDEX source_minutes_by_time ON source_minutes (minute)")
    op.execute(_VIOLATIONS)
