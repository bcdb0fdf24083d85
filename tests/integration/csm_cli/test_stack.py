"""The supervisor and its commands: processes come back, nothing is left behind, and errors are one sentence."""

import json
import signal
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
import psutil
from tests.integration.csm_cli.command import MODULES, Csm
from tests.support.waiting import eventually

from csm_cli.stack.processes import STOP_ORDER


async def test_a_stack_from_up_to_down_and_up_again(csm: Csm) -> None:
    result = csm.up()
    assert result.returncode == 0, result.stdout + result.stderr
    assert "The stack is ready." in result.stdout
    stack = csm.stack()
    assert stat.S_IMODE(csm.home.stack_file.stat().st_mode) == 0o600
    assert set(stack["pids"]) == {"supervisor", *(name.replace("-", "_") for name in STOP_ORDER)}
    async with httpx.AsyncClient() as client:
        assert (await client.get(stack["mail"]["url"])).json() == []

    status = csm("status", "--json")
    assert status.returncode == 0
    assert {each["name"]: each["state"] for each in json.loads(status.stdout)}["health-score"] == "ready"

    second = csm.up()
    assert second.returncode == 1
    assert second.stdout == (
        f"A stack already runs in {csm.home.path} (pid {stack['pids']['supervisor']}):"
        " `csm status` shows it, `csm down` ends it.\n"
    )
    other = csm("up", "--port-base", str(csm.port_base), home=csm.home.path.with_name("other"))
    assert other.returncode == 1
    assert other.stderr.startswith(f"Port {csm.port_base} for ingest cannot be used")
    assert other.stderr.count("\n") == 1

    assert csm("down").returncode == 0
    assert csm.processes() == []
    assert not csm.is_ready()
    assert csm("status").returncode == 1
    assert csm("down").stdout == f"No stack is running in {csm.home.path}.\n"

    assert csm.up().returncode == 0
    again = csm.stack()
    assert (again["ingest"]["write_key"], again["api_key"]) == (
        stack["ingest"]["write_key"],
        stack["api_key"],
    )


async def test_a_killed_service_comes_back_at_once(csm: Csm) -> None:
    csm.up()
    killed = csm.kill("playbooks")

    await eventually(lambda: csm.pid("playbooks") != killed, what="stack.json has the new pid")
    await eventually(lambda: csm("status").returncode == 0, what="all are ready")
    assert "playbooks was ended by SIGKILL" in csm("logs", "supervisor").stdout


async def test_a_killed_broker_comes_back_and_every_service_begins_anew_on_its_new_log(csm: Csm) -> None:
    csm.up()
    before = csm.stack()["pids"]
    csm.kill("broker")

    await eventually(lambda: csm.pid("broker") != before["broker"], what="stack.json has the new pid")
    await eventually(lambda: csm("status").returncode == 0, what="all are ready")

    after = csm.stack()["pids"]
    assert {name for name, pid in after.items() if pid != before[name]} == {*MODULES, "broker"}
    log = csm("logs", "supervisor").stdout
    assert "broker was ended by SIGKILL" in log
    assert "It is started again, and the services with it." in log
    assert log.count("started again") == 1, "the services ended because they were told to"


async def test_no_fact_on_the_new_log_of_a_broker_is_skipped(tmp_path: Path) -> None:
    csm = Csm(tmp_path)  # with the real services: it is their positions that point into the old log
    try:
        assert csm.up().returncode == 0
        await send(csm.stack(), range(30))
        await eventually(lambda: folded(csm.stack(), 30), what="all of the old log is folded")
        before = csm.kill("broker")
        await eventually(lambda: csm.pid("broker") != before, what="stack.json has the new pid")
        await eventually(lambda: csm("status").returncode == 0, what="all are ready")

        await send(csm.stack(), range(30, 90))

        await eventually(lambda: folded(csm.stack(), 90), what="all of the new log is folded")
    finally:
        csm("down")


async def send(stack: dict[str, Any], numbers: Iterable[int]) -> None:
    """Facts about one account, as many as there are numbers, each acknowledged."""
    headers = {
        "Authorization": f"Bearer {stack['ingest']['write_key']}",
        "Content-Type": "application/cloudevents+json",
    }
    event = {"specversion": "1.0", "source": "test", "type": "csm.usage.recorded", "subject": "acme"}
    async with httpx.AsyncClient(base_url=stack["ingest"]["url"], headers=headers) as client:
        for number in numbers:
            fact = event | {"id": str(number), "data": {"feature": "reports"}}
            assert (await client.post("/v1/events", content=json.dumps(fact))).status_code == 202


async def folded(stack: dict[str, Any], facts: int) -> bool:
    """Whether health-score has folded so many since the database was made."""
    url, headers = stack["health_score"]["url"], {"Authorization": f"Bearer {stack['api_key']}"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as client:
        return bool((await client.get("/v1/stats")).json()["folded"] == facts)


async def test_a_service_that_dies_while_the_broker_is_away_is_started_once(csm: Csm) -> None:
    csm.up()
    before = csm.stack()["pids"]
    csm.kill("broker")
    csm.kill("playbooks")

    await eventually(lambda: csm.pid("broker") != before["broker"], what="stack.json has the new pid")
    await eventually(lambda: csm("status").returncode == 0, what="all are ready")

    known = set(csm.stack()["pids"].values())
    services = [each.pid for each in csm.processes() if each.cmdline()[-1] in MODULES]
    assert len(services) == len(MODULES)
    assert set(services) <= known


async def test_a_service_that_keeps_dying_ends_the_stack(csm: Csm) -> None:
    supervisor = csm.up_in_foreground()
    await eventually(csm.is_ready, 120.0)
    csm.doom("notifier")
    csm.kill("notifier")

    output, errors = supervisor.communicate(timeout=120)

    assert supervisor.returncode == 1
    assert output.count("It is started again.") == 5
    assert "notifier ended with exit code 1; its last words: RuntimeError: notifier has no luck" in errors
    assert "It died too often within a minute. The stack is stopped" in errors
    assert csm.processes() == []


async def test_a_service_that_cannot_start_is_named_with_its_last_words(csm: Csm) -> None:
    csm.doom("health_score")

    result = csm.up()

    assert result.returncode == 1
    assert "health-score ended with exit code 1 while starting. The last lines of" in result.stdout
    assert "RuntimeError: health_score has no luck" in result.stdout
    assert "Traceback" not in result.stdout
    assert csm.processes() == []


async def test_the_database_dying_ends_the_stack_and_loses_nothing(csm: Csm) -> None:
    supervisor = csm.up_in_foreground()
    await eventually(csm.is_ready, 120.0)
    before = csm.stack()
    csm.kill("postgres")

    _, errors = supervisor.communicate(timeout=120)

    assert supervisor.returncode == 1
    assert errors.startswith("postgres was ended by SIGKILL")
    assert csm.processes() == []
    assert csm.up().returncode == 0
    assert csm.stack()["api_key"] == before["api_key"]


async def test_ctrl_c_ends_everything(csm: Csm) -> None:
    supervisor = csm.up_in_foreground()
    await eventually(csm.is_ready, 120.0)
    supervisor.send_signal(signal.SIGINT)

    output, errors = supervisor.communicate(timeout=120)

    assert (supervisor.returncode, errors) == (0, "")
    assert output.endswith("The stack has stopped.\n")
    assert csm.processes() == []


async def test_nothing_outlives_a_killed_supervisor(csm: Csm) -> None:
    csm.up()
    csm.kill("supervisor")

    await eventually(lambda: csm.processes() == [], 60.0, what="the guard has ended everything")
    assert csm.up().returncode == 0


async def test_down_ends_what_a_killed_supervisor_and_its_guard_have_left(csm: Csm) -> None:
    csm.up()
    [guard] = [each for each in csm.processes() if "csm_cli.stack.guard" in each.cmdline()]
    guard.kill()
    supervisor = psutil.Process(csm.kill("supervisor"))
    await eventually(lambda: not supervisor.is_running() or supervisor.status() == psutil.STATUS_ZOMBIE)
    assert csm("status").returncode == 1

    assert csm("down").stdout == "The stack has stopped.\n"
    assert csm.processes() == []


def test_a_home_that_cannot_be_used_is_told_in_one_sentence(csm: Csm) -> None:
    file = csm.home.path.with_name("file")
    file.touch()

    result = csm("up", home=file)

    assert result.returncode == 1
    assert result.stderr == f"{file} cannot be used as home: File exists ({file}).\n"


def test_a_given_server_that_does_not_answer_is_told_in_one_sentence(csm: Csm) -> None:
    nowhere = f"127.0.0.1:{csm.port_base}"

    postgres = csm(
        "up", "--port-base", str(csm.port_base + 1), "--postgres", f"postgresql://me:secret@{nowhere}/x"
    )
    kafka = csm("up", "--port-base", str(csm.port_base), "--kafka", nowhere)

    assert postgres.returncode == kafka.returncode == 1
    assert postgres.stderr.startswith(f"PostgreSQL at {nowhere}/x could not be prepared:")
    assert "secret" not in postgres.stderr
    assert kafka.stderr.startswith(f"No Kafka answers at {nowhere}")


def test_a_configuration_of_ingest_with_a_mistake_is_told_before_anything_starts(tmp_path: Path) -> None:
    csm = Csm(tmp_path)  # with the real services: it is ingest that knows what may be said
    file = tmp_path / "ingest.yaml"
    file.write_text("webhook: {}\n", encoding="utf-8")

    result = csm("up", "--port-base", str(csm.port_base), "--ingest-config", str(file))

    assert result.returncode == 1
    assert result.stderr == (
        f"--ingest-config: The configuration {file} has mistakes:\n  webhook: there is no such key\n"
    )
    assert csm.processes() == []
