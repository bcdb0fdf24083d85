"""PostgreSQL refuses to run as root: this finds the user it runs as then, who must reach its files."""

import os
import pwd
import stat
import subprocess
from pathlib import Path
from typing import TypedDict

from csm_common.errors import FatalError

ACCOUNT = "csm_postgres"


class Identity(TypedDict, total=False):
    """Who a child process is, as arguments of subprocess.Popen; empty for the user we are."""

    user: int
    group: int
    extra_groups: list[int]
    cwd: str


def server_identity() -> Identity:
    """Who PostgreSQL runs as: this user, or a system user of its own when we are root; else FatalError."""
    if os.geteuid() != 0:
        return {}
    account = _find() or _add()
    # The working directory of root may be closed to others, and a server has no business there.
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": [], "cwd": "/"}


def own(path: Path, identity: Identity) -> None:
    """Give `path` to the user PostgreSQL runs as."""
    if identity:
        os.chown(path, identity["user"], identity["group"])


def open_path(path: Path) -> None:
    """Let other users pass through the directories above `path`: they can enter, not list."""
    for directory in path.absolute().parents:
        _allow(directory, stat.S_IXOTH)


def open_tree(root: Path) -> None:
    """Let other users read and run what is installed under `root`, where a strict umask has forbidden it."""
    open_path(root)
    for path in (root, *root.rglob("*")):
        executable = path.stat().st_mode & stat.S_IXUSR
        _allow(path, stat.S_IROTH | (stat.S_IXOTH if executable else 0))


def _find() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None


def _add() -> pwd.struct_passwd:
    try:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", ACCOUNT]
        result = subprocess.run(command, check=False, capture_output=True, text=True)
        reason = result.stderr.strip()
    except OSError as error:
        reason = str(error)
    account = _find()  # also when another process was faster
    if account is None:
        raise FatalError(
            f"PostgreSQL does not run as root, and the system user {ACCOUNT} could not be added: {reason}."
            " Run csm as an ordinary user, or give --postgres DSN."
        )
    return account


def _allow(path: Path, permission: int) -> None:
    mode = path.stat().st_mode
    if mode & permission != permission:
        path.chmod(stat.S_IMODE(mode) | permission)
