"""Settings of playbooks beside those every service has (`CSM_PLAYBOOKS__STEP_RETRY_S='[1, 10, 60]'`)."""

from pathlib import Path

from pydantic import BaseModel, Field

from csm_common.settings import ServiceSettings

SHIPPED = Path(__file__).parent / "definitions"


class PlaybookSettings(BaseModel):
    """Which playbooks are active, and how runs are moved on."""

    definitions: Path = Field(default=SHIPPED, description="A directory with one YAML file a playbook.")
    look_every_s: float = Field(
        default=1.0, gt=0, description="How often to look for due runs that nothing has woken us for."
    )
    step_batch: int = Field(default=200, ge=1, description="At most so many runs in one transaction.")
    step_retry_s: tuple[float, ...] = Field(
        default=(1, 10, 60, 300, 1800),
        description="Pauses after failed attempts at a step; then the run has failed.",
    )


class PlaybooksSettings(ServiceSettings):
    """Everything `app.py` needs."""

    playbooks: PlaybookSettings = PlaybookSettings()
