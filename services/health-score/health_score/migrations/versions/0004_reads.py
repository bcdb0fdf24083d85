"""What lists sort and filter by: the scorecard and an override beside the score, the revenue beside the attributes, and indexes.

Each index serves a list of the REST API that is slow without it at a million accounts (docs/health-api.md tells which). Those on
attributes cost nothing while facts are scored; that on scores is one more entry for a row that moves, lost in upserts' noise.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

# A revenue that nobody has would make every sum overflow.
_ARR = """
ALTER TABLE account_attributes ADD COLUMN arr double precision GENERATED ALWAYS AS (
    CASE WHEN jsonb_typeof(attributes -> 'arr') = 'number' THEN
        CASE WHEN abs((attributes -> 'arr')::numeric) < 1e15 THEN (attributes -> 'arr')::double precision END
    END
) STORED
"""

# What was before the first change since an instant, read from the index alone: every account of the fleet is asked for it.
_HISTORY = "CREATE INDEX history_known ON history (account_id, known_at, revision) INCLUDE (score_before, band_before)"

_INDEXES = (
    "DROP INDEX history_known",
    _HISTORY,
    "CREATE INDEX accounts_score ON accounts (score, account_id) INCLUDE (band, coverage)",
    "CREATE INDEX account_attributes_renewal ON account_attributes (renewal_date, account_id)",
    "CREATE INDEX account_attributes_arr ON account_attributes (arr, account_id)",
    "CREATE INDEX account_attributes_name ON account_attributes (name, account_id)",
    "CREATE INDEX account_attributes_any ON account_attributes USING gin (attributes jsonb_path_ops)",
)


def upgrade() -> None:
    """Add columns and indexes."""
    op.execute("ALTER TABLE accounts ADD COLUMN scorecard text")
    op.execute("ALTER TABLE accounts ADD COLUMN overridden boolean NOT NULL DEFAULT false")
    # The transaction that told the attributes last: a walk through a list can tell whether that was after it began.
    op.execute("ALTER TABLE account_attributes ADD COLUMN xact xid8 NOT NULL DEFAULT pg_current_xact_id()")
    op.execute(_ARR)
    for statement in _INDEXES:
        op.execute(statement)
