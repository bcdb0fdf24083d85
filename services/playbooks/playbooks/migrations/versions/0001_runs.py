"""Playbook versions, the accounts' newest snapshots, crossings and what they meant, runs with their steps, tasks."""

from alembic import op

from csm_common.database.outbox import CREATE_OUTBOX
from csm_common.database.positions import CREATE_POSITIONS

revision = "0001"
down_revision = None

_PLAYBOOKS = """
CREATE TABLE playbooks (
    name text NOT NULL,
    version integer NOT NULL,
    title text NOT NULL,
    hash text NOT NULL,
    definition jsonb NOT NULL,
    active boolean NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (name, version),
    UNIQUE (name, hash)
)
"""

# fillfactor leaves room for in-place updates: a row is rewritten with every change of its account.
_ACCOUNTS = """
CREATE TABLE accounts (
    account_id text PRIMARY KEY,
    revision bigint NOT NULL,
    score double precision,
    band text,
    evaluated_at timestamptz NOT NULL,
    snapshot bytea NOT NULL
) WITH (fillfactor = 70)
"""

_CROSSINGS = """
CREATE TABLE crossings (
    id text PRIMARY KEY,
    account_id text NOT NULL,
    threshold text NOT NULL,
    direction text NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    traceparent text,
    data bytea NOT NULL
)
"""

_RUNS = """
CREATE TABLE runs (
    id text PRIMARY KEY,
    playbook text NOT NULL,
    version integer NOT NULL,
    account_id text NOT NULL,
    crossing_id text NOT NULL REFERENCES crossings,
    started_at timestamptz NOT NULL,
    status text NOT NULL,
    position integer NOT NULL,
    wake_at timestamptz,
    due_at timestamptz,
    failures integer NOT NULL,
    error text,
    ended_at timestamptz,
    reason text,
    exit_crossing_id text REFERENCES crossings,
    FOREIGN KEY (playbook, version) REFERENCES playbooks
)
"""

_RUN_STEPS = """
CREATE TABLE run_steps (
    run_id text NOT NULL REFERENCES runs,
    position integer NOT NULL,
    step text NOT NULL,
    kind text NOT NULL,
    at timestamptz NOT NULL,
    outcome text NOT NULL,
    ref text,
    until timestamptz,
    PRIMARY KEY (run_id, position)
)
"""

_ENTRIES = """
CREATE TABLE entries (
    crossing_id text NOT NULL REFERENCES crossings,
    playbook text NOT NULL,
    version integer NOT NULL,
    account_id text NOT NULL,
    decided_at timestamptz NOT NULL,
    outcome text NOT NULL,
    run_id text REFERENCES runs,
    code text,
    reason text,
    PRIMARY KEY (crossing_id, playbook)
)
"""

_TASKS = """
CREATE TABLE tasks (
    id text PRIMARY KEY,
    account_id text NOT NULL,
    type text NOT NULL,
    title text NOT NULL,
    reason text NOT NULL,
    owner text,
    due_at timestamptz NOT NULL,
    run_id text NOT NULL REFERENCES runs,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    status text NOT NULL,
    asked integer NOT NULL
)
"""

_INDEXES = (
    "CREATE UNIQUE INDEX playbooks_active ON playbooks (name) WHERE active",
    "CREATE UNIQUE INDEX runs_active ON runs (account_id, playbook) WHERE status = 'active'",
    "CREATE INDEX runs_due ON runs (due_at) WHERE status = 'active'",
    "CREATE INDEX runs_account ON runs (account_id, started_at DESC, id DESC)",
    "CREATE INDEX runs_started ON runs (started_at DESC, id DESC)",
    "CREATE INDEX entries_account ON entries (account_id, decided_at DESC)",
    "CREATE INDEX entries_decided ON entries (decided_at DESC)",
    "CREATE UNIQUE INDEX tasks_open ON tasks (account_id, type, reason) WHERE status = 'open'",
    "CREATE INDEX tasks_owner ON tasks (owner, created_at DESC, id DESC)",
    "CREATE INDEX tasks_created ON tasks (created_at DESC, id DESC)",
)


def upgrade() -> None:
    """Make the tables."""
    tables = (_PLAYBOOKS, _ACCOUNTS, _CROSSINGS, _RUNS, _RUN_STEPS, _ENTRIES, _TASKS)
    for statement in (CREATE_POSITIONS, CREATE_OUTBOX, *tables, *_INDEXES):
        op.execute(statement)
