"""The rejects file: one JSON line per row that was left out as faulty, with the place, the reason and the row itself."""

import json
import os
from pathlib import Path
from typing import Any


class RejectsFile:
    """Appends behind `kept_bytes`: what an interrupted run wrote beyond its last checkpoint is written anew."""

    def __init__(self, path: Path, kept_bytes: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._file = path.open("ab")
        self._file.truncate(min(kept_bytes, self._file.tell()))
        self._file.seek(0, os.SEEK_END)

    def write(self, **entry: Any) -> None:
        """Add one row: section, file, line, code, message, row."""
        self._file.write(json.dumps(entry, default=str).encode() + b"\n")

    def flush(self) -> int:
        """Hand the lines to the system; the size of the file in bytes."""
        self._file.flush()
        return self._file.tell()

    def close(self) -> None:
        """Nothing is written after this."""
        self._file.close()
