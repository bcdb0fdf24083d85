"""The vendors' own SDKs as clients, each in a process of its own: `python -m tests.support.sdks '{"sdk": …}'`, or node.

Every one of them does the same: it puts a user into an account, whose traits it tells, and then sends events of this user.
"""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

NODE_SDKS = ("@segment/analytics-node", "@rudderstack/rudder-sdk-node", "analytics-node", "posthog-node")
PYTHON_SDKS = ("segment", "rudder", "posthog")

_HERE = Path(__file__).parent / "node_sdks"
_CACHE = Path.home() / ".cache" / "csm" / "node-sdks"
_DEADLINE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What an SDK is to send, and where. The account's facts are one for its traits and one for each of the events."""

    sdk: str
    host: str
    key: str
    user: str
    account: str
    traits: dict[str, Any]
    events: list[str]


def node_modules() -> Path:
    """The folder with the SDKs for Node, installed once for each lock file. RuntimeError tells why there is none."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise RuntimeError("node and npm are not installed")
    lock = _HERE / "package-lock.json"
    place = _CACHE / sha256(lock.read_bytes()).hexdigest()[:16]
    if not (place / "installed").exists():
        place.mkdir(parents=True, exist_ok=True)
        for each in (lock, _HERE / "package.json"):
            shutil.copy(each, place)
        npm = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(npm, cwd=place, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            raise RuntimeError(f"npm ci failed: {done.stderr[-500:]}")
        (place / "installed").touch()
    return place


async def run(script: Script) -> str:
    """Run the SDK until it has sent everything, or given up; what it printed."""
    if script.sdk in PYTHON_SDKS:
        command = [sys.executable, "-m", "tests.support.sdks", json.dumps(asdict(script))]
    else:
        told = asdict(script) | {"modules": str(node_modules())}
        command = ["node", str(_HERE / "send.mjs"), json.dumps(told)]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), _DEADLINE_S)
    except TimeoutError:
        process.kill()
        output, _ = await process.communicate()
    return f"{script.sdk} ended with {process.returncode}:\n{output.decode()[-3000:]}"


def _segment(script: Script) -> None:
    from segment.analytics.client import Client  # type: ignore[import-untyped]  # each is alone in its process

    _send(Client(script.key, host=script.host, upload_size=2, gzip=True), script)


def _rudder(script: Script) -> None:
    from rudderstack.analytics.client import Client  # type: ignore[import-untyped]

    _send(Client(script.key, host=script.host, upload_size=2), script)


def _send(client: Any, script: Script) -> None:
    client.group(script.user, script.account, script.traits)
    for event in script.events:
        client.track(script.user, event)
    client.shutdown()


def _posthog(script: Script) -> None:
    from posthog import Posthog

    client = Posthog(script.key, host=script.host, flush_at=2, max_retries=10, disable_geoip=True)
    client.group_identify("company", script.account, script.traits)
    for event in script.events:
        client.capture(event, distinct_id=script.user, groups={"company": script.account})
    client.shutdown()


_SENDERS: dict[str, Callable[[Script], None]] = {"segment": _segment, "rudder": _rudder, "posthog": _posthog}

if __name__ == "__main__":
    told = Script(**json.loads(sys.argv[1]))
    _SENDERS[told.sdk](told)
