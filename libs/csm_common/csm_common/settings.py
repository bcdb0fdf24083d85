"""Settings every service has, read from the environment (`CSM_KAFKA__BOOTSTRAP=…`); a service adds its own by subclassing."""

from base64 import b64decode
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def _signing(secret: SecretStr) -> SecretStr:
    _, prefix, key = secret.get_secret_value().rpartition("whsec_")
    try:
        length = len(b64decode(key, validate=True)) if prefix else 0
    except ValueError:
        length = 0
    if not 24 <= length <= 64:
        raise ValueError("a secret is whsec_ and the base64 of 24 to 64 bytes")
    return secret


SigningSecret = Annotated[SecretStr, AfterValidator(_signing)]
"""A secret that signs as Standard Webhooks (https://www.standardwebhooks.com) have it."""


class HttpSettings(BaseModel):
    """The door. Loopback unless told, so that nothing is exposed by accident."""

    host: str = "127.0.0.1"
    port: int = 8000
    max_body_bytes: int = Field(default=1_000_000, description="A larger body is answered 413.")
    token_key: SecretStr | None = Field(
        default=None,
        description="Takes signed tokens (JWT) made with this: the shared secret, or the signer's public key as PEM.",
    )
    token_algorithm: Literal["HS256", "HS384", "HS512", "RS256", "ES256", "EdDSA"] = "HS256"  # noqa: S105 - a name
    token_issuer: str | None = Field(default=None, description="Where told, a token's `iss` must be this.")
    token_audience: str | None = Field(
        default=None, description="Where told, a token's `aud` must hold this; else it must have none."
    )

    @model_validator(mode="after")
    def _key_fits(self) -> Self:
        if self.token_key is None:
            return self
        key, shared = self.token_key.get_secret_value(), self.token_algorithm.startswith("HS")
        least = int(self.token_algorithm[2:]) // 8 if shared else 0  # RFC 7518, 3.2
        if len(key.encode()) < least:
            raise ValueError(
                f"token_key: {self.token_algorithm} needs {least} bytes at least; `openssl rand -hex 64` makes enough"
            )
        if shared == ("-----BEGIN" in key):
            raise ValueError(
                f"token_key: {self.token_algorithm} takes {'a shared secret' if shared else 'a public key as PEM'}"
            )
        return self


class DatabaseSettings(BaseModel):
    """One PostgreSQL server, a schema and a role per service."""

    dsn: SecretStr = Field(description="postgresql://ROLE:PASSWORD@HOST:PORT/DATABASE")
    pool_size: int = 5
    statement_timeout_s: float = 30.0
    idle_in_transaction_timeout_s: float = Field(
        default=2.0,
        description="A frozen owner holding a position row blocks its successor no longer than this.",
    )


class KafkaSettings(BaseModel):
    """How to talk to the brokers; the defaults are for Apache Kafka in production."""

    bootstrap: str
    replication: int = 1
    partitions: int | None = Field(default=None, description="Overrides the registry's partition counts.")
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    ssl_cafile: str | None = None

    idempotence: bool = Field(
        default=True, description="False for brokers without idempotent producers (the embedded one)."
    )
    delivery_timeout_s: float = Field(
        default=10.0, description="The relay's deadline for an acknowledgement."
    )

    assignment: Literal["group", "all"] = Field(
        default="group",
        description="`all`: this one process owns every partition, no consumer group is joined.",
    )
    on_new_log: Literal["stop", "restart"] = Field(
        default="stop",
        description="A topic made anew under a stored position: stop and page, or begin its new log.",
    )
    session_timeout_ms: int = 30_000
    fetch_max_wait_ms: int = 500
    max_partition_fetch_bytes: int = Field(
        default=1_048_576,
        description="Read ahead of each partition at most, so times the partitions in memory.",
    )
    batch_records: int = Field(default=20_000, description="At most this many records in one transaction …")
    batch_keys: int = Field(default=500, description="… and of at most this many keys.")

    retry_backoff_s: tuple[float, ...] = Field(
        default=(0.5, 1, 2, 5, 10, 30), description="Pauses after transient failures."
    )
    dead_letter_run: int = Field(
        default=100, description="So many poison records in a row stop their partition."
    )


class TelemetrySettings(BaseModel):
    """Traces go to an OTLP collector when there is one; metrics are always at /metrics; logs always on stdout."""

    otlp_endpoint: str | None = None
    trace_ratio: float = Field(default=0.01, ge=0, le=1, description="Share of new traces that are sampled.")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"


class ServiceSettings(BaseSettings):
    """What `app.py` of every service is built from."""

    model_config = SettingsConfigDict(
        env_prefix="CSM_",
        env_nested_delimiter="__",
        extra="ignore",
        hide_input_in_errors=True,  # some of it is secret
    )

    http: HttpSettings = HttpSettings()
    database: DatabaseSettings
    kafka: KafkaSettings
    telemetry: TelemetrySettings = TelemetrySettings()
    drain_timeout_s: float = Field(default=10.0, description="How long SIGTERM waits for work in flight.")
