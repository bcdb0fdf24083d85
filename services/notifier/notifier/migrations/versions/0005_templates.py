"""Message templates in versions, which one is in force, and what people did with them."""

from alembic import op

revision = "0005"
down_revision = "0004"

# `document` is what is rendered, `source` the file as it was written, `hash` of the former.
_TEMPLATES = """
CREATE TABLE templates (
    name text NOT NULL,
    version integer NOT NULL,
    kind text NOT NULL,
    title text NOT NULL,
    hash text NOT NULL,
    document jsonb NOT NULL,
    source text NOT NULL,
    active boolean NOT NULL,
    origin text NOT NULL,
    author text NOT NULL,
    note text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (name, version),
    UNIQUE (name, hash)
)
"""

# One row, counted up whenever something else is in force: every process looks at it, and at the templates only when it has moved.
_GENERATION = "CREATE TABLE template_generation (one boolean PRIMARY KEY CHECK (one), number bigint NOT NULL)"

_AUDIT = """
CREATE TABLE template_audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    name text NOT NULL,
    detail jsonb NOT NULL
)
"""


def upgrade() -> None:
    """Make them."""
    op.execute(_TEMPLATES)
    op.execute("CREATE UNIQUE INDEX templates_active ON templates (name) WHERE active")
    op.execute(_GENERATION)
    op.execute("INSERT INTO template_generation (one, number) VALUES (true, 1)")
    op.execute(_AUDIT)
    op.execute("CREATE INDEX template_audit_name ON template_audit (name, id DESC)")
