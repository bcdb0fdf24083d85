"""Settings of health-score beside those every service has (`CSM_HEALTH__JOURNAL_DAYS=…`)."""

from pydantic import BaseModel, Field

from csm_common.settings import ServiceSettings


class HealthSettings(BaseModel):
    """How much is remembered."""

    journal_days: float = Field(
        default=7.0, description="A fact sent again within so many days has no effect …"
    )
    journal_facts: int = Field(
        default=500_000,
        description="… as long as no more facts than this came after it in its partition (0.1 kB each).",
    )
    cached_accounts: int = Field(
        default=50_000, description="Account states kept in memory, the latest used first."
    )
    rest_hours: float = Field(
        default=24.0,
        description="An account is foretold for so long while facts come, and once it has rested so long, for ten years.",
    )
    timer_batch: int = Field(default=500, description="At most so many due accounts in one transaction.")


class GuardSettings(BaseModel):
    """When the fleet guard takes the silence of a type of facts for a broken source: `CSM_GUARD__ACCOUNTS=…`."""

    accounts: int = Field(default=20, description="Only if so many accounts sent it on its last day …")
    known_days: float = Field(default=7.0, description="… and it has been known for so long …")
    least_hours: float = Field(default=6.0, description="… is it silent after so long …")
    factor: float = Field(default=2.0, description="… and so many times its longest pause in four weeks.")


class HealthScoreSettings(ServiceSettings):
    """Everything `app.py` needs."""

    health: HealthSettings = HealthSettings()
    guard: GuardSettings = GuardSettings()
