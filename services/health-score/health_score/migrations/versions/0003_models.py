"""Scorecards and the changes of the model, histories and crossings, attributes to search by, and signals folded anew."""

from alembic import op

revision = "0003"
down_revision = "0002"

_SCORECARDS = """
CREATE TABLE scorecards (
    name text NOT NULL,
    version integer NOT NULL,
    document text NOT NULL,
    author text NOT NULL,
    note text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (name, version)
)
"""

# activate and retire: a scorecard; silence and sound: a source of facts that the whole fleet lacks, and that is back.
_MODEL_CHANGES = """
CREATE TABLE model_changes (
    number integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('activate', 'retire', 'silence', 'sound')),
    name text NOT NULL,
    version integer,
    since timestamptz,
    actor text NOT NULL,
    note text NOT NULL,
    outreach boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL
)
"""

_PARTITION_MODELS = """
CREATE TABLE partition_models (
    partition integer PRIMARY KEY,
    model integer NOT NULL
)
"""

_REFOLDS = """
CREATE TABLE refolds (
    partition integer NOT NULL,
    model integer NOT NULL,
    until_offset bigint NOT NULL,
    facts bigint,
    done_at timestamptz,
    PRIMARY KEY (partition, model)
)
"""

_REFOLDED = """
CREATE TABLE refolded (
    account_id text NOT NULL,
    model integer NOT NULL,
    partition integer NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (account_id, model)
)
"""

_ATTRIBUTES = """
CREATE TABLE account_attributes (
    account_id text PRIMARY KEY,
    name text,
    plan text,
    segment text,
    owner text,
    team text,
    renewal_date date,
    attributes jsonb NOT NULL
)
"""

# `xact` orders the change feed: whoever reads only what is older than every transaction still running misses nothing.
_HISTORY = """
CREATE TABLE history (
    account_id text NOT NULL,
    revision bigint NOT NULL,
    known_at timestamptz NOT NULL,
    event_at timestamptz NOT NULL,
    cause text NOT NULL,
    fact_ids text[] NOT NULL,
    scorecard text NOT NULL,
    version integer NOT NULL,
    score double precision,
    computed double precision,
    band text,
    band_before text,
    score_before double precision,
    coverage double precision NOT NULL,
    detail bytea NOT NULL,
    xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (account_id, revision)
)
"""

_CROSSINGS = """
CREATE TABLE crossings (
    id uuid PRIMARY KEY,
    account_id text NOT NULL,
    revision bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    threshold text NOT NULL,
    direction text NOT NULL,
    cause text NOT NULL,
    crossing bytea NOT NULL
)
"""

_SOURCES = """
CREATE TABLE sources (
    type text NOT NULL,
    partition integer NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    day date NOT NULL,
    accounts integer NOT NULL,
    accounts_before integer NOT NULL,
    PRIMARY KEY (type, partition)
)
"""

# One row: since when somebody has been watching without a break. What came while nobody watched is no silence.
_SOURCE_WATCH = """
CREATE TABLE source_watch (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    since timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
)
"""

_SOURCE_GAPS = """
CREATE TABLE source_gaps (
    type text PRIMARY KEY,
    last_at timestamptz NOT NULL,
    longest_s double precision NOT NULL,
    longest_at timestamptz NOT NULL
)
"""


def upgrade() -> None:
    """Make the tables."""
    for statement in (_SCORECARDS, _MODEL_CHANGES, _PARTITION_MODELS, _REFOLDS, _REFOLDED, _ATTRIBUTES):
        op.execute(statement)
    for statement in (_HISTORY, _CROSSINGS, _SOURCES, _SOURCE_WATCH, _SOURCE_GAPS):
        op.execute(statement)
    op.execute("ALTER TABLE erased ADD COLUMN at_offset bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE accounts ADD COLUMN model integer NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE accounts ADD COLUMN missing text NOT NULL DEFAULT ''")
    op.execute("ALTER TABLE accounts ALTER COLUMN snapshot DROP NOT NULL")
    # Rows of some kilobytes stay in one piece and uncompressed: they are rewritten far more often than they are read.
    op.execute("ALTER TABLE accounts SET (toast_tuple_target = 8160)")
    op.execute("ALTER TABLE accounts ALTER COLUMN state SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE accounts ALTER COLUMN snapshot SET STORAGE EXTERNAL")
    op.execute("CREATE INDEX accounts_model ON accounts (partition, model)")
    op.execute("CREATE INDEX history_changes ON history (xact, account_id, revision)")
    op.execute("CREATE INDEX history_known ON history (account_id, known_at)")
    op.execute("CREATE INDEX crossings_account ON crossings (account_id, occurred_at, revision)")
    op.execute("CREATE INDEX account_attributes_owner ON account_attributes (owner)")
    op.execute("CREATE INDEX account_attributes_team ON account_attributes (team)")
