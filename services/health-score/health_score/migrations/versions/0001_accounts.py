"""Accounts with their states, the journal of folded facts, the intake counts, positions and outbox."""

from alembic import op

from csm_common.database.outbox import CREATE_OUTBOX
from csm_common.database.positions import CREATE_POSITIONS

revision = "0001"
down_revision = None

# fillfactor leaves room for in-place updates: every row is rewritten with each fact of its account.
_ACCOUNTS = """
CREATE TABLE accounts (
    account_id text PRIMARY KEY,
    partition integer NOT NULL,
    revision bigint NOT NULL,
    state bytea NOT NULL,
    snapshot bytea NOT NULL,
    score double precision,
    band text,
    coverage double precision NOT NULL,
    due_at timestamptz,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 70)
"""

_JOURNAL = """
CREATE TABLE journal (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    facts bytea NOT NULL
)
"""

_INTAKE = """
CREATE TABLE intake (
    partition integer PRIMARY KEY,
    folded bigint NOT NULL DEFAULT 0,
    outcomes bigint NOT NULL DEFAULT 0,
    repeated bigint NOT NULL DEFAULT 0,
    conflicting bigint NOT NULL DEFAULT 0,
    undecodable bigint NOT NULL DEFAULT 0
)
"""


def upgrade() -> None:
    """Make the tables."""
    op.execute(CREATE_POSITIONS)
    op.execute(CREATE_OUTBOX)
    op.execute(_ACCOUNTS)
    op.execute("CREATE INDEX accounts_due ON accounts (partition, due_at) WHERE due_at IS NOT NULL")
    op.execute(_JOURNAL)
    op.execute("CREATE INDEX journal_partition ON journal (partition, number)")
    op.execute(_INTAKE)
