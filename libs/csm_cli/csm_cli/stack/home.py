"""Where a stack keeps its files: every path under HOME is named here, and nowhere else."""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Home:
    """The directory of one stack. Paths are absolute, so they hold whatever the working directory is."""

    path: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "path", self.path.expanduser().absolute())

    @property
    def postgres(self) -> Path:
        """The data directory of PostgreSQL."""
        return self.path / "postgres"

    @property
    def logs(self) -> Path:
        """One file per process."""
        return self.path / "logs"

    @property
    def stack_file(self) -> Path:
        """What a client needs to know of the running stack; there while it is ready."""
        return self.path / "stack.json"

    @property
    def secrets_file(self) -> Path:
        """Generated passwords and keys; they outlive a restart."""
        return self.path / "secrets.json"

    @property
    def processes_file(self) -> Path:
        """The processes that run, so that another process can end exactly those."""
        return self.path / "processes.json"

    @property
    def lock_file(self) -> Path:
        """Held by the supervisor while it runs."""
        return self.path / "lock"

    def log(self, name: str) -> Path:
        """The log file of the process `name`."""
        return self.logs / f"{name}.log"


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step, readable by its owner alone; OSError when it cannot."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(draft).unlink()
        raise
