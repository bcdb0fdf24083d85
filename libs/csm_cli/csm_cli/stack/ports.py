"""The port plan of a stack: eight ports in a row, so that one number moves them all."""

from dataclasses import asdict, dataclass, fields
from typing import Self

from csm_cli.stack.child import HOST
from csm_cli.stack.processes import key


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Who listens where, on the loopback interface."""

    ingest: int
    health_score: int
    playbooks: int
    notifier: int
    sinks: int
    smtp: int
    postgres: int
    broker: int

    @classmethod
    def from_base(cls, base: int) -> Self:
        """The eight ports that begin at `base`, in the order of the fields."""
        return cls(**{field.name: base + place for place, field in enumerate(fields(cls))})

    def url(self, name: str) -> str:
        """The base URL of the service `name`."""
        return f"http://{HOST}:{getattr(self, key(name))}"

    def address(self, name: str) -> str:
        """Where a person finds the process `name`: a URL where it speaks HTTP, else host and port."""
        return f"{HOST}:{getattr(self, name)}" if name in ("postgres", "broker") else self.url(name)

    def as_dict(self) -> dict[str, int]:
        """The ports by name."""
        return asdict(self)
