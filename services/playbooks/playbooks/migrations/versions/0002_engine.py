"""The whole engine: ways through a playbook, waits for conditions and people, claims, switches, trials, task work, audit."""

from alembic import op

revision = "0002"
down_revision = "0001"

# Versions come from files that are shipped, or from people over REST; a file never takes back what a person put in force.
_ALTER_PLAYBOOKS = """
ALTER TABLE playbooks
    ADD COLUMN origin text NOT NULL DEFAULT 'file',
    ADD COLUMN author text NOT NULL DEFAULT 'shipped',
    ADD COLUMN note text NOT NULL DEFAULT ''
"""

_ALTER_RUNS = """
ALTER TABLE runs
    ADD COLUMN purpose text,
    ADD COLUMN priority integer NOT NULL DEFAULT 0,
    ADD COLUMN step text,
    ADD COLUMN awaits text,
    ADD COLUMN held text,
    ADD COLUMN held_since timestamptz,
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN fence bigint NOT NULL DEFAULT 0,
    ADD COLUMN suspects text
"""

# A run of before stands at the step its position counts to; playbooks were lists then.
_FILL_RUNS = """
UPDATE runs SET
    purpose = playbook,
    awaits = CASE WHEN wake_at IS NOT NULL THEN 'time' END,
    step = (SELECT definition -> 'steps' -> runs.position ->> 'name' FROM playbooks
            WHERE playbooks.name = runs.playbook AND playbooks.version = runs.version)
"""

_ALTER_STEPS = """
ALTER TABLE run_steps ADD COLUMN path text, ADD COLUMN reason text, ADD COLUMN revision bigint, ADD COLUMN known text
"""

# People open tasks as well: those have no run.
_ALTER_TASKS = """
ALTER TABLE tasks
    ALTER COLUMN run_id DROP NOT NULL,
    ADD COLUMN playbook text,
    ADD COLUMN step text,
    ADD COLUMN claimed_by text,
    ADD COLUMN snoozed_until timestamptz,
    ADD COLUMN snoozed_score double precision,
    ADD COLUMN outcome text,
    ADD COLUMN done_at timestamptz,
    ADD COLUMN done_by text
"""

_FILL_TASKS = """
UPDATE tasks SET playbook = runs.playbook, step = coalesce(
    (SELECT run_steps.step FROM run_steps WHERE run_steps.run_id = tasks.run_id AND run_steps.ref = tasks.id LIMIT 1), '')
FROM runs WHERE runs.id = tasks.run_id
"""

_SWITCHES = """
CREATE TABLE switches (
    name text PRIMARY KEY,
    state text NOT NULL,
    reason text NOT NULL,
    actor text NOT NULL,
    at timestamptz NOT NULL
)
"""

_TRIALS = """
CREATE TABLE trials (
    id text PRIMARY KEY,
    playbook text NOT NULL,
    version integer NOT NULL,
    programme text NOT NULL,
    account_id text NOT NULL,
    arm text NOT NULL,
    crossed_at timestamptz NOT NULL,
    entered_at timestamptz NOT NULL,
    threshold text NOT NULL,
    direction text NOT NULL,
    window_ends_at timestamptz,
    goal_reached_at timestamptz,
    recovered_at timestamptz,
    revenue double precision,
    currency text,
    FOREIGN KEY (playbook, version) REFERENCES playbooks
)
"""

_APPROVALS = """
CREATE TABLE approvals (
    id text PRIMARY KEY,
    run_id text NOT NULL REFERENCES runs,
    playbook text NOT NULL,
    step text NOT NULL,
    account_id text NOT NULL,
    title text NOT NULL,
    by text[] NOT NULL,
    asked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    status text NOT NULL,
    answered_at timestamptz,
    answered_by text,
    comment text
)
"""

# They go with their task, whoever adds a line while it is deleted.
_TASK_NOTES = """
CREATE TABLE task_notes (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task_id text NOT NULL REFERENCES tasks ON DELETE CASCADE,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    text text NOT NULL
)
"""

# Whose turn it is in a rotation of people, by the people in it.
_ROTATIONS = "CREATE TABLE rotations (people text[] PRIMARY KEY, turns bigint NOT NULL)"

_AUDIT = """
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    account_id text,
    detail jsonb NOT NULL
)
"""

# What a worker has in hand, written down before it begins: what a dead one leaves here is what it died of, or beside.
_HANDS = """
CREATE TABLE hands (
    worker text PRIMARY KEY,
    runs text[] NOT NULL,
    until timestamptz NOT NULL
)
"""

# When the projection of each partition was last known to be up to date with what health-score had told.
_FRESHNESS = """
CREATE TABLE freshness (
    partition integer PRIMARY KEY,
    caught_up_at timestamptz NOT NULL
)
"""

# Written in the same transaction as what they refer to, and a row at a time each cost a third of its insert.
_UNCHECKED = (
    "ALTER TABLE run_steps DROP CONSTRAINT run_steps_run_id_fkey",
    "ALTER TABLE entries DROP CONSTRAINT entries_crossing_id_fkey, DROP CONSTRAINT entries_run_id_fkey",
    "ALTER TABLE runs DROP CONSTRAINT runs_crossing_id_fkey, DROP CONSTRAINT runs_exit_crossing_id_fkey",
)

_INDEXES = (
    "DROP INDEX runs_active",
    "CREATE UNIQUE INDEX runs_active ON runs (account_id, purpose) WHERE status = 'active'",
    "CREATE INDEX crossings_occurred ON crossings (occurred_at, id)",
    "CREATE INDEX runs_awaiting ON runs (account_id) WHERE status = 'active' AND awaits IN ('condition', 'hold')",
    "CREATE INDEX runs_playbook ON runs (playbook, started_at DESC, id DESC)",
    "CREATE INDEX runs_failed ON runs (started_at DESC, id DESC) WHERE failures > 0",
    "CREATE INDEX runs_held ON runs (started_at DESC, id DESC) WHERE held IS NOT NULL",
    "CREATE INDEX entries_playbook ON entries (playbook, decided_at DESC)",
    "CREATE INDEX runs_suspects ON runs (due_at) WHERE status = 'active' AND suspects IS NOT NULL",
    "CREATE INDEX runs_suspected ON runs (suspects) WHERE suspects IS NOT NULL",
    "CREATE INDEX runs_calls ON runs (due_at) WHERE status = 'active' AND awaits = 'call'",
    "CREATE INDEX runs_ended ON runs (ended_at) WHERE status <> 'active'",
    "CREATE INDEX runs_exit_crossing ON runs (exit_crossing_id) WHERE exit_crossing_id IS NOT NULL",
    "CREATE INDEX crossings_received ON crossings (received_at)",
    "CREATE INDEX audit_at ON audit (at)",
    "DROP INDEX tasks_open",
    "CREATE UNIQUE INDEX tasks_open ON tasks (account_id, type, reason) WHERE status IN ('open', 'snoozed')",
    "DROP INDEX tasks_created",
    "DROP INDEX tasks_owner",
    "CREATE INDEX tasks_due ON tasks (due_at, id)",
    "CREATE INDEX tasks_owner ON tasks (owner, due_at, id)",
    "CREATE INDEX tasks_account ON tasks (account_id, due_at, id)",
    "CREATE INDEX tasks_load ON tasks (owner) WHERE status IN ('open', 'snoozed')",
    "CREATE INDEX tasks_snoozed ON tasks (snoozed_until) WHERE status = 'snoozed'",
    "CREATE INDEX tasks_snoozed_account ON tasks (account_id) WHERE status = 'snoozed'",
    "CREATE INDEX tasks_run ON tasks (run_id)",
    "CREATE INDEX task_notes_task ON task_notes (task_id, id)",
    "CREATE INDEX trials_playbook ON trials (playbook, entered_at)",
    "CREATE INDEX trials_account ON trials (account_id) WHERE goal_reached_at IS NULL OR recovered_at IS NULL",
    "CREATE INDEX trials_last ON trials (account_id, playbook, entered_at DESC)",
    "CREATE INDEX approvals_run ON approvals (run_id)",
    "CREATE INDEX approvals_asked ON approvals (status, asked_at DESC, id DESC)",
    "CREATE INDEX approvals_account ON approvals (account_id)",
    "CREATE INDEX audit_subject ON audit (subject, id DESC)",
    "CREATE INDEX audit_account ON audit (account_id, id DESC)",
    "CREATE INDEX audit_actor ON audit (actor, id DESC)",
    # People act through keys, and are looked for by either; what playbooks do, which is most of it, costs nothing here.
    "CREATE INDEX audit_people ON audit USING gin (string_to_array(actor, ' via '))"
    " WHERE actor NOT LIKE 'playbook:%' AND actor <> 'system'",
)


def upgrade() -> None:
    """Widen what there is, and make the rest."""
    filled = (
        _ALTER_PLAYBOOKS,
        _ALTER_RUNS, _FILL_RUNS, "ALTER TABLE runs ALTER COLUMN purpose SET NOT NULL",
        _ALTER_STEPS,
        _ALTER_TASKS, _FILL_TASKS,
    )  # fmt: skip
    tables = (_SWITCHES, _TRIALS, _APPROVALS, _TASK_NOTES, _ROTATIONS, _AUDIT, _HANDS, _FRESHNESS)
    for statement in (*filled, *tables, *_UNCHECKED, *_INDEXES):
        op.execute(statement)
