"""The health change feed: subscriptions, their deliveries, and what is known of the accounts."""

from alembic import op

revision = "0006"
down_revision = "0005"

# measures are the points of each measure as JSON, read only to tell which of them moved. The trend is in arrays, not jsonb: sixty
# points are 0.5 kB then, so that a row stays in its page.
_ACCOUNT_HEALTH = """
CREATE TABLE account_health (
    account_id text PRIMARY KEY,
    revision bigint NOT NULL,
    score float8,
    band text,
    evaluated_at timestamptz NOT NULL,
    scorecard text NOT NULL,
    measures bytea NOT NULL,
    trend_days date[] NOT NULL,
    trend_scores float4[] NOT NULL
) WITH (fillfactor = 70)
"""

# version is the ETag. failing_since is the first of the attempts that failed since one succeeded, given_up how many deliveries in
# a row were given up, dropped how many ever were because too many waited.
_SUBSCRIPTIONS = """
CREATE TABLE subscriptions (
    id text PRIMARY KEY,
    name text NOT NULL,
    url text NOT NULL,
    wants jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    status text NOT NULL DEFAULT 'active',
    disabled_at timestamptz,
    disabled_reason text,
    failing_since timestamptz,
    given_up integer NOT NULL DEFAULT 0,
    dropped bigint NOT NULL DEFAULT 0
)
"""

# Apart from the subscriptions, so that what is read to be shown has none.
_SECRETS = """
CREATE TABLE subscription_secrets (
    subscription_id text NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
    number integer NOT NULL,
    secret text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    PRIMARY KEY (subscription_id, number)
)
"""

# The score that each subscription knows of each account. No reference to subscriptions, here and below: one that is deleted while
# a batch of news is taken in must not stop the batch.
_TOLD = """
CREATE TABLE feed_told (
    subscription_id text NOT NULL,
    account_id text NOT NULL,
    score float8,
    PRIMARY KEY (subscription_id, account_id)
)
"""

_DELIVERIES = """
CREATE TABLE feed_deliveries (
    id text PRIMARY KEY,
    subscription_id text NOT NULL,
    type text NOT NULL,
    account_id text NOT NULL,
    revision bigint NOT NULL,
    body text NOT NULL,
    traceparent text,
    created_at timestamptz NOT NULL,
    status text NOT NULL,
    reason text,
    wake_at timestamptz,
    lease_owner text,
    attempt integer NOT NULL DEFAULT 0,
    forgiven integer NOT NULL DEFAULT 0,
    finished_at timestamptz
) WITH (fillfactor = 70)
"""

_ATTEMPTS = """
CREATE TABLE feed_attempts (
    delivery_id text NOT NULL REFERENCES feed_deliveries ON DELETE CASCADE,
    number integer NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    outcome text,
    code integer,
    detail text,
    duration_ms float8,
    PRIMARY KEY (delivery_id, number)
) WITH (fillfactor = 70)
"""


def upgrade() -> None:
    """Make them."""
    op.execute(_ACCOUNT_HEALTH)
    op.execute(_SUBSCRIPTIONS)
    op.execute(_SECRETS)
    op.execute(_TOLD)
    op.execute("CREATE INDEX feed_told_account ON feed_told (account_id)")
    op.execute(_DELIVERIES)
    op.execute(
        "CREATE INDEX feed_deliveries_due ON feed_deliveries (subscription_id, wake_at) WHERE wake_at IS NOT NULL"
    )
    op.execute(
        "CREATE INDEX feed_deliveries_newest ON feed_deliveries (subscription_id, created_at DESC, id DESC)"
    )
    op.execute(
        "CREATE INDEX feed_deliveries_waiting ON feed_deliveries (subscription_id, created_at DESC, id DESC)"
        " WHERE wake_at IS NOT NULL"
    )
    op.execute("CREATE INDEX feed_deliveries_account ON feed_deliveries (account_id)")
    op.execute(
        "CREATE INDEX feed_deliveries_finished ON feed_deliveries (finished_at) WHERE finished_at IS NOT NULL"
    )
    op.execute(_ATTEMPTS)
