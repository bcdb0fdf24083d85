"""Reading a log while a process writes it."""

from pathlib import Path

LINE_BYTES = 1024  # more than a line has on average; a traceback takes several


class LogReader:
    """One log file and how far it has been read. Only whole lines are given out, and none that are empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._position = 0

    def last(self, count: int) -> list[str]:
        """The last `count` lines; a file that is not there has none. What came before counts as read."""
        window = max(64, count) * LINE_BYTES
        self._position = max(0, self._size() - window)
        lines = self.fresh()
        return lines[-count:] if count else []

    def fresh(self) -> list[str]:
        """The lines that have come since the last reading. A file that has shrunk is a new one, read from its start."""
        if self._size() < self._position:
            self._position = 0
        try:
            with self.path.open("rb") as file:
                file.seek(self._position)
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content[: content.rfind(b"\n") + 1]
        self._position += len(whole)
        return [line for line in whole.decode("utf-8", errors="replace").splitlines() if line.strip()]

    def _size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0
