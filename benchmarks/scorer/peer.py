"""The peer in a process and a virtual environment of its own, made on first use in the user's cache."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from benchmarks.line.place import Place
from csm_common.contracts.topics import CUSTOMER_EVENTS

_HERE = Path(__file__).parent
_REQUIREMENTS = _HERE / "requirements-peer.txt"
_INSTALL_S = 300
_RUN_S = 120


class UnavailableError(Exception):
    """The peer cannot be installed or does not run here; the message is the reason."""


def count_and_threshold(place: Place, events: int) -> float:
    """Events/s of the peer, which keeps a count per account and tells when one crosses a threshold."""
    command = [str(_python()), str(_HERE / "peer_program.py"), place.kafka.bootstrap, CUSTOMER_EVENTS.name]
    command += [str(events), str(place.home / "peer")]
    done = _run(command, _RUN_S)
    return float(done.splitlines()[-1])


def _python() -> Path:
    """The interpreter of the environment; its name is that of what is in it, so another version is another one."""
    name = f"peer-{sha256(_REQUIREMENTS.read_bytes()).hexdigest()[:16]}"
    place = Path.home() / ".cache" / "csm" / name
    python = place / "bin" / "python"
    if not (place / "installed").exists():
        uv = [sys.executable, "-m", "uv"]
        _run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)], _INSTALL_S)
        _run(
            [*uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(_REQUIREMENTS)], _INSTALL_S
        )
        (place / "installed").touch()
    return python


def _run(command: list[str], seconds: float) -> str:
    """What it printed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=True)
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"{' '.join(command[:4])} failed: {error.stderr[-500:].strip()}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(str(error)) from error
    return done.stdout
