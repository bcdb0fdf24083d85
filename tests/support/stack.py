"""The whole product as real processes, started and ended by the `csm` command, for end-to-end tests."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from tests.support.brokers import Broker
from tests.support.waiting import eventually

_PORTS = 8
_CSM = [sys.executable, "-m", "csm_cli.main"]


def _free_port_base() -> int:
    """The first of eight free ports in a row."""
    for base in range(20_000 + os.getpid() % 250 * 50, 60_000, 50):  # neighbours start at the same moment
        try:
            for port in range(base, base + _PORTS):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        return base
    raise RuntimeError("there are no eight free ports in a row")


def csm(
    *arguments: str, env: Mapping[str, str] | None = None, timeout_s: float = 180.0
) -> subprocess.CompletedProcess[str]:
    """Run the command and give back what it printed; it must succeed."""
    done = subprocess.run(
        [*_CSM, *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        env={**os.environ, **(env or {})},
        check=False,
    )
    assert done.returncode == 0, (
        f"csm {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    )
    return done


@dataclass(frozen=True, slots=True)
class Stack:
    """A running stack. Events are CloudEvents as dictionaries; `fact` makes one."""

    home: Path
    http: httpx.AsyncClient
    kind: str

    @property
    def described(self) -> dict[str, Any]:
        """stack.json as it is now."""
        found: dict[str, Any] = json.loads((self.home / "stack.json").read_text())
        return found

    async def post(self, *events: Mapping[str, Any]) -> httpx.Response:
        """Send the events in one batch as a product backend does."""
        ingest = self.described["ingest"]
        return await self.http.post(
            f"{ingest['url']}/v1/events",
            json=list(events),
            headers={
                "authorization": f"Bearer {ingest['write_key']}",
                "content-type": "application/cloudevents-batch+json",
            },
        )

    async def accept(self, *events: Mapping[str, Any]) -> None:
        """Send the events; all must be accepted."""
        answer = await self.post(*events)
        assert (answer.status_code, answer.json().get("rejected")) == (202, 0), answer.text

    async def get(self, service: str, path: str) -> Any:
        """What the REST API of a service answers, which must be 200."""
        described = self.described
        answer = await self.http.get(
            f"{described[service]['url']}{path}", headers={"authorization": f"Bearer {described['api_key']}"}
        )
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def health(self, account: str) -> dict[str, Any]:
        """The account's health."""
        found: dict[str, Any] = await self.get("health_score", f"/v1/accounts/{account}/health")
        return found

    async def stats(self) -> dict[str, int]:
        """health-score's counts."""
        found: dict[str, int] = await self.get("health_score", "/v1/stats")
        return found

    async def mails(self, to: str) -> list[dict[str, Any]]:
        """Mails in the sink to an address."""
        answer = await self.http.get(self.described["mail"]["url"])
        return [mail for mail in answer.json() if to in str(mail["to"])]

    def kill(self, service: str) -> int:
        """`kill -9` a service by its pid; the supervisor starts it again. Returns the pid that was."""
        pid = int(self.described["pids"][service.replace("-", "_")])
        os.kill(pid, signal.SIGKILL)
        return pid

    async def restarted(self, service: str, was: int) -> None:
        """Wait until another process of the service is ready."""
        name = service.replace("-", "_")

        async def ready() -> bool:
            described = self.described
            if int(described["pids"].get(name) or was) == was:
                return False
            try:
                answer = await self.http.get(f"{described[name]['url']}/readyz")
            except httpx.HTTPError:
                return False
            return answer.status_code == 200

        await eventually(ready, 90.0, what=f"{service} is back")


def fact(
    account: str, type: str, data: Mapping[str, Any], *, days_ago: float = 0.0, **members: Any
) -> dict[str, Any]:
    """A CloudEvent about the account, so many days ago."""
    time = datetime.now(UTC) - timedelta(days=days_ago)
    common = {"specversion": "1.0", "id": str(uuid4()), "source": "/e2e", "time": time.isoformat()}
    return common | {"type": f"csm.{type}", "subject": account, "data": data} | members


def account_with_owner(account: str, owner_address: str, *, quiet_days: float = 20.0) -> list[dict[str, Any]]:
    """An account that has been quiet for so many days, known to its owner.

    After 12 days it is at risk whatever part of its uses has been folded; after 20, with only a few of them, it is critical.
    """
    return [
        fact(
            account,
            "account.changed",
            {"name": f"{account} Ltd", "owner": "dana", "arr": 120_000, "currency": "EUR"},
        ),
        fact(
            account,
            "contact.changed",
            {"contact_id": "dana", "role": "owner", "name": "Dana", "email": owner_address},
        ),
        *(
            fact(
                account,
                "usage.recorded",
                {"feature": "report", "user_id": f"u{n % 5}"},
                days_ago=quiet_days + n / 8,
            )
            for n in range(80)
        ),
    ]


def escalations(account: str, count: int) -> list[dict[str, Any]]:
    """Urgent, escalated, open tickets."""
    data = {"status": "open", "priority": "urgent", "escalated": True}
    return [fact(account, "ticket.changed", {"ticket_id": f"t{n}", **data}) for n in range(count)]


@asynccontextmanager
async def running_stack(broker: Broker, *, options: Sequence[str] = ()) -> AsyncIterator[Stack]:
    """`csm up` on a home of its own: on its embedded broker, or on the Apache Kafka given."""
    given = ["--kafka", broker.settings.bootstrap] if broker.kind == "apache" else []
    env = {"CSM_KAFKA__SESSION_TIMEOUT_MS": str(broker.settings.session_timeout_ms)}
    with tempfile.TemporaryDirectory(prefix="csm-e2e-", ignore_cleanup_errors=True) as home:
        where = ["--home", home]
        try:
            csm(
                "up",
                *where,
                "--port-base",
                str(_free_port_base()),
                "--no-demo",
                "--detach",
                *given,
                *options,
                env=env,
            )
            async with httpx.AsyncClient(timeout=30.0) as http:
                yield Stack(Path(home), http, broker.kind)
        finally:
            csm("down", *where)
