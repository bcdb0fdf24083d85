"""Settings of ingest beside those every service has (`CSM_INGEST__BROKER_DEADLINE_S=…`)."""

from pathlib import Path

from pydantic import BaseModel, Field

from csm_common.settings import ServiceSettings
from ingest.application.imports.limits import ImportLimits


class DoorSettings(BaseModel):
    """How much the door takes, and how long it waits."""

    config: Path | None = Field(
        default=None,
        description="YAML file: how SDK messages are mapped, personal data, tracking plans, webhooks.",
    )
    broker_deadline_s: float = Field(
        default=2.0, description="An event that the brokers have not acknowledged by then is answered 503."
    )
    body_deadline_s: float = Field(
        default=10.0, description="A body that is not here by then is answered 408."
    )
    max_bytes_in_flight: int = Field(
        default=64 * 1024 * 1024, description="Bodies beyond that much memory are answered 503 at once."
    )
    events_per_s: int = Field(
        default=50_000,
        gt=0,
        description="A key without a limit of its own that sends more is answered 429; per process, twice that at once.",
    )
    remembered_ids: int = Field(
        default=100_000,
        gt=0,
        description="Repeats and conflicts are told to senders among so many ids; 300 bytes each.",
    )
    hold_for_s: float = Field(
        default=86_400.0,
        description="A message whose account is not known by then is listed as unattributed; it goes on waiting.",
    )
    late_after_s: float = Field(
        default=3_600.0, description="An event that tells of something older is marked as late."
    )
    decisions_kept_s: float = Field(
        default=7 * 86_400.0,
        description="So long a message that is sent again is known to have been given to an account.",
    )
    rejections_kept_s: float = Field(
        default=90 * 86_400.0,
        description="Rejections that nobody replayed and that did not come again by then are dropped.",
    )
    imports: ImportLimits = ImportLimits()


class IngestSettings(ServiceSettings):
    """Everything `app.py` needs."""

    ingest: DoorSettings = DoorSettings()
