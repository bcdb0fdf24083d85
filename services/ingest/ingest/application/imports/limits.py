"""How much an import may take up, and how long it waits."""

from pydantic import BaseModel, Field


class ImportLimits(BaseModel):
    """Settings of imports (`CSM_INGEST__IMPORTS__MAX_BYTES=…`)."""

    max_bytes: int = Field(default=2 * 1024**3, description="Of one import, inflated; more is refused.")
    batch_lines: int = Field(default=500, ge=1, le=2_500, description="So many lines are sent on together.")
    batch_bytes: int = Field(
        default=1_000_000, description="A batch that is larger is sent on with fewer lines."
    )
    memory_bytes: int = Field(
        default=64 * 1024 * 1024,
        description="What one import may remember of its lines: those without an id, and the accounts of a backfill.",
    )
    patience_s: float = Field(
        default=60.0, description="Brokers that are away for longer interrupt the import."
    )
    idle_s: float = Field(
        default=60.0, description="A sender that sends nothing for longer interrupts its import."
    )
