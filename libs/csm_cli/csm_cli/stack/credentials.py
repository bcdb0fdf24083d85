"""Passwords and keys that are made once per home and kept in secrets.json, so that a restart reuses them."""

import json
import secrets

from csm_cli.stack.home import Home, write_private
from csm_common.errors import FatalError


class Credentials:
    """The secrets of one home, by name. The file is readable by its owner alone."""

    def __init__(self, home: Home) -> None:
        self._file = home.secrets_file

    def get(self, name: str) -> str | None:
        """The secret of that name, if it was kept."""
        return self._read().get(name)

    def keep(self, name: str, secret: str) -> None:
        """Keep `secret` under `name`, in place of an earlier one."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        write_private(self._file, json.dumps(self._read() | {name: secret}, indent=2))

    def password(self, name: str) -> str:
        """The password of that name, generated at its first use; safe in a DSN: letters, digits, - and _."""
        known = self.get(name)
        if known is None:
            known = secrets.token_urlsafe(24)
            self.keep(name, known)
        return known

    def _read(self) -> dict[str, str]:
        if not self._file.exists():
            return {}
        try:
            content: dict[str, str] = json.loads(self._file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise FatalError(
                f"{self._file} cannot be read ({error}): mend it, it has the passwords."
            ) from error
        return content
