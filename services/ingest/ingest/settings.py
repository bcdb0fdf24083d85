"""Settings of ingest beside those every service has (`CSM_INGEST__BROKER_DEADLINE_S=…`)."""

from pydantic import BaseModel, Field

from csm_common.settings import ServiceSettings


class DoorSettings(BaseModel):
    """How much the door takes, and how long it waits."""

    broker_deadline_s: float = Field(
        default=2.0, description="An event that the brokers have not acknowledged by then is answered 503."
    )
    body_deadline_s: float = Field(
        default=10.0, description="A body that is not here by then is answered 408."
    )
    max_bytes_in_flight: int = Field(
        default=64 * 1024 * 1024, description="Bodies beyond that much memory are answered 503 at once."
    )


class IngestSettings(ServiceSettings):
    """Everything `app.py` needs."""

    ingest: DoorSettings = DoorSettings()
