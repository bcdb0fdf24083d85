"""The port plan of a stack: eight ports in a row, so that one number moves them all."""

import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

from csm_cli.stack.child import HOST
from csm_cli.stack.processes import key
from csm_common.errors import FatalError


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


def check_free(ports: Mapping[str, int]) -> None:
    """FatalError that names the first port somebody else listens on."""
    for name, port in ports.items():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as the servers: a closed port is free at once
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise FatalError(
                    f"Port {port} for {name} cannot be used ({error.strerror}):"
                    " end the program that holds it, or choose others with --port-base."
                ) from error
