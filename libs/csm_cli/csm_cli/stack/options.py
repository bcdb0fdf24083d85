"""What `csm up` was asked for; it travels as JSON to a supervisor that runs detached."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from csm_cli.stack.home import Home
from csm_cli.stack.ports import Ports

DEFAULT_HOME = Path(".csm")
DEFAULT_PORT_BASE = 7600


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`kafka` (a bootstrap address) and `postgres` (an admin DSN) name servers to use in place of the embedded ones;
    `ingest_config` is the absolute path of ingest's configuration file."""

    home: Home
    ports: Ports
    demo: bool = True
    kafka: str | None = None
    postgres: str | None = None
    ingest_config: Path | None = None

    def as_json(self) -> str:
        """These options for another process."""
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Options that another process has sent."""
        fields = json.loads(text)
        config = fields.pop("ingest_config")
        home, ports = Home(Path(fields.pop("home")["path"])), Ports(**fields.pop("ports"))
        return cls(home=home, ports=ports, ingest_config=Path(config) if config else None, **fields)
