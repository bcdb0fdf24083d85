"""Single events and batches of 100, through ingest and through the bare program in turns, so that both see the same machine.

python -m benchmarks.ingest [SECONDS each program is under load per case, 10 unless told]
"""

import asyncio
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.ingest.servers import bare, free_port, ingest, make_key
from csm_cli.stack.broker import EmbeddedBroker
from csm_cli.stack.home import Home
from csm_cli.stack.postgres import EmbeddedPostgres
from csm_cli.stack.server import Server
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.kafka.admin import ensure_topics
from csm_common.settings import KafkaSettings

ROUNDS = 5
CASES = ((1, 64), (100, 16))
"""Events in a request, and connections."""


@dataclass(slots=True)
class Figures:
    """What one program did under load so far."""

    pid: int
    port: int
    events: int = 0
    refused: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0

    def load(self, key: str, events_each: int, connections: int, seconds: float) -> None:
        """Another round of so many seconds."""
        command = [sys.executable, "-m", "benchmarks.ingest.load", str(self.port), key]
        command += [str(events_each), str(connections), str(seconds)]
        before = _cpu_s(self.pid)
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=seconds + 30)
        self.cpu_s += _cpu_s(self.pid) - before
        accepted, refused, wall_s = told.stdout.split()
        self.events += int(accepted) * events_each
        self.refused += int(refused)
        self.wall_s += float(wall_s)


def _cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


def _figures(server: Server, port: int) -> Figures:
    assert server.child.pid is not None
    return Figures(server.child.pid, port)


def _compare(figures: dict[str, Figures], key: str, case: tuple[int, int], seconds: float) -> None:
    events_each, connections = case
    for _ in range(ROUNDS):
        for each in figures.values():
            each.load(key, events_each, connections, seconds / ROUNDS)
    print(f"\n{events_each} a request, {connections} connections")
    for name, each in figures.items():
        rate, cpu = each.events / each.wall_s, each.cpu_s / each.events * 1e6
        print(f"  {name:8}{rate:10,.0f} events/s {cpu:8.1f} µs of CPU an event {each.refused:5} answers 503")
    ours, limit = figures["ingest"], figures["bare"]
    print(f"  ratio   {ours.events / ours.wall_s / (limit.events / limit.wall_s):10.2f}")


def main(seconds: float) -> None:
    """Start everything, compare, print."""
    with (
        tempfile.TemporaryDirectory(prefix="csm-benchmark-", ignore_cleanup_errors=True) as directory,
        EmbeddedPostgres(Path(directory), free_port()) as postgres,
        EmbeddedBroker(Path(directory), free_port()) as broker,
    ):
        key = asyncio.run(make_key(postgres))
        asyncio.run(ensure_topics(KafkaSettings(bootstrap=broker.bootstrap), [CUSTOMER_EVENTS]))
        home, ports = Home(Path(directory)), {"bare": free_port(), "ingest": free_port()}
        with (
            bare(home, ports["bare"], broker.bootstrap) as limit,
            ingest(home, ports["ingest"], broker.bootstrap, postgres) as ours,
        ):
            for case in CASES:
                figures = {"bare": _figures(limit, ports["bare"]), "ingest": _figures(ours, ports["ingest"])}
                _compare(figures, key, case, seconds)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)
