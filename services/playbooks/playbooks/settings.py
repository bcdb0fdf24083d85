"""Settings of playbooks beside those every service has (`CSM_PLAYBOOKS__STEP_RETRY_S='[1, 10, 60]'`)."""

from pathlib import Path
from typing import Literal
from zoneinfo import available_timezones

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, field_validator

from csm_common.settings import ServiceSettings, SigningSecret

SHIPPED = Path(__file__).parent / "definitions"


Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
)  # fmt: skip


class CalendarSettings(BaseModel):
    """When people work."""

    zone: str = Field(default="UTC", description="Of due dates, and of accounts without a zone of their own.")
    weekend: tuple[Weekday, ...] = Field(default=("saturday", "sunday"), max_length=6)
    holidays: str | None = Field(
        default=None, description="Public holidays of a country or a part of it: DE, DE-BY (ISO 3166-2)."
    )

    @field_validator("zone")
    @classmethod
    def _is_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"there is no time zone {zone!r}; write one such as Europe/Berlin")
        return zone


class EndpointSettings(BaseModel):
    """An address that webhook steps may call by its name."""

    model_config = ConfigDict(hide_input_in_errors=True)

    url: AnyHttpUrl
    secret: SigningSecret | None = Field(
        default=None, description="Signs what is sent: whsec_… as Standard Webhooks have it."
    )


class PlaybookSettings(BaseModel):
    """Which playbooks are active, and how runs are moved on."""

    definitions: Path = Field(default=SHIPPED, description="A directory with one YAML file a playbook.")
    look_every_s: float = Field(
        default=1.0, gt=0, description="How often to look for due runs that nothing has woken us for."
    )
    step_batch: int = Field(default=500, ge=1, description="At most so many runs in one transaction.")
    step_workers: int = Field(
        default=2, ge=1, le=16, description="How many batches a process works on at a time."
    )
    step_retry_s: tuple[float, ...] = Field(
        default=(1, 10, 60, 300, 1800),
        description="Pauses after failed attempts at a step; then the run has failed.",
    )
    max_staleness_s: float = Field(
        default=60.0,
        gt=0,
        description="No step is decided on a projection of the accounts that may be older than this.",
    )
    hold_sales_while: str = Field(
        default="'escalated' in thresholds",
        description="A condition over the account; while it holds, steps marked `sales` are held back.",
    )
    kept_days: float = Field(
        default=400.0,
        gt=0,
        description="Ended runs and all that belongs to them, entries and the audit are deleted after this.",
    )
    endpoints: dict[str, EndpointSettings] = Field(
        default_factory=dict,
        description='What webhook steps may call, by name: {"crm": {"url": …, "secret": "whsec_…"}}.',
    )
    calendar: CalendarSettings = CalendarSettings()


class PlaybooksSettings(ServiceSettings):
    """Everything `app.py` needs."""

    playbooks: PlaybookSettings = PlaybookSettings()
