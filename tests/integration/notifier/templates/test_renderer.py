"""Rendering in processes of their own: what hangs, grows or escapes is ended, while everything else goes on."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
from tests.support.waiting import eventually
from tests.unit.notifier.builders import CONTEXT
from tests.unit.notifier.templates.pressing import SHIPPED, a_document, told

from notifier.adapters.templates.renderer import Renderers
from notifier.adapters.templates.worker import Limits
from notifier.application.ports import TemplateError

ENDED = r"longer than 1 s|too much memory|calls itself|longer than 100000|died|OverflowError"
LIMITS = Limits(seconds=1.0, memory=256 * 1024 * 1024)
VARIABLES = told(CONTEXT)


@dataclass
class InForce:
    """What a test puts in force."""

    generation: int = 1
    documents: list[Any] = field(default_factory=lambda: list(SHIPPED.values()))


@pytest.fixture
def in_force() -> InForce:
    return InForce()


@pytest.fixture
async def renderers(in_force: InForce) -> AsyncIterator[Renderers]:
    made = Renderers(in_force, workers=2, limits=LIMITS)
    yield made
    made.close()


def children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "templates.child" in " ".join(each.cmdline())]


async def test_a_message_is_rendered_in_the_readers_language(renderers: Renderers) -> None:
    words = await renderers.render("account_at_risk", "de-AT", VARIABLES)
    assert words.subject == "Acme ist gefährdet: Gesundheit 44, vorher 63"
    assert words.lead == "Acme ist jetzt gefährdet."
    assert len(words.points) == 4
    assert words.html is not None


async def test_an_activation_is_seen_by_the_next_message(renderers: Renderers, in_force: InForce) -> None:
    await renderers.render("check_in", "en", VARIABLES)
    mine = {**a_document("Mine"), "name": "check_in"}
    in_force.documents, in_force.generation = [mine], 2
    assert (await renderers.render("check_in", "en", VARIABLES)).text == "Mine\n"


async def test_a_refusal_names_the_template(renderers: Renderers) -> None:
    with pytest.raises(TemplateError, match="template welcome: there is no template 'welcome'; there are"):
        await renderers.render("welcome", None, {})


HANGS = {
    "nested loops": "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "power": "{{ 9 ** (9 ** 9) }}",
    "power at run time": "{% set n = 10 + renewal_in_days * 0 %}{{ n ** (n ** n) }}",
}
GROWS = {
    "multiplied": "{{ 'a' * 10 ** 10 }}",
    "centred": "{{ 'a' | center(10 ** 9) }}",
    "formatted": "{{ '%1000000000d' | format(1) }}",
    "indented": "{{ 'a' | indent(10 ** 9, true) }}",
    "doubled": "{% set n = namespace(x='aaaaaaaa') %}{% for a in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "listed": "{{ [0] * 10 ** 10 }}",
    "endless": "{% for a in range(99999) %}{{ 'a' * 9999 }}{% endfor %}",
    "recursive": "{% macro f(x) %}{{ f(x ~ x) }}{% endmacro %}{{ f('a') }}",
}  # fmt: skip


@pytest.mark.parametrize("text", [*HANGS.values(), *GROWS.values()], ids=[*HANGS, *GROWS])
async def test_what_hangs_or_grows_is_ended_while_everything_else_goes_on(
    renderers: Renderers, text: str
) -> None:
    bad = asyncio.create_task(renderers.trial(a_document(text), "en", VARIABLES))
    while not bad.done():
        words = await renderers.render("check_in", "de", VARIABLES)
        assert words.subject == "Funktioniert alles, wie es soll?"
    with pytest.raises(
        TemplateError,
        match=ENDED,
    ):
        bad.result()
    assert (await renderers.render("check_in", "de", VARIABLES)).subject


async def test_linting_what_hangs_is_ended_too(renderers: Renderers) -> None:
    with pytest.raises(TemplateError, match="longer than 1 s"):
        await renderers.lint(a_document(HANGS["power"]), {"full": VARIABLES})


async def test_a_child_knows_nothing_of_the_service(
    renderers: Renderers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSM_SECRET", "secret")
    await renderers.render("check_in", "en", VARIABLES)
    environments = [each.environ() for each in children()]
    assert environments
    assert all("CSM_SECRET" not in each and "PATH" not in each for each in environments)
    assert all(len(each.net_connections(kind="inet")) == 0 for each in children())


async def test_no_message_fails_for_a_killed_child(renderers: Renderers) -> None:
    await renderers.render("check_in", "en", VARIABLES)
    (child,) = children()
    os.kill(child.pid, signal.SIGKILL)
    assert (await renderers.render("check_in", "en", VARIABLES)).subject
    assert children() != [child]


async def test_who_gives_up_waiting_gets_nobody_elses_words(renderers: Renderers) -> None:
    one = Renderers(InForce(), workers=1, limits=LIMITS)
    waiting = asyncio.create_task(one.trial(a_document(HANGS["nested loops"]), "en", VARIABLES))
    await eventually(lambda: len(children()) > 0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await one.render("check_in", "en", VARIABLES)).subject == "Is everything working as it should?"
    one.close()


async def test_close_ends_the_children() -> None:
    made = Renderers(InForce(), workers=1)
    await made.render("check_in", "en", VARIABLES)
    made.close()
    assert children() == []


PARENT = """
import asyncio, sys
from tests.unit.notifier.templates.pressing import SHIPPED, a_document, told
from notifier.adapters.templates.renderer import Renderers

class InForce:
    generation, documents = 1, list(SHIPPED.values())

async def main():
    made = Renderers(InForce(), workers=1)
    await made.render("check_in", "en", told({}))
    print("ready", flush=True)
    if sys.argv[1] == "busy":
        await made.trial(a_document(sys.argv[2]), "en", told({}))
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("state", ["idle", "busy"])
async def test_a_child_ends_with_its_parent_however_that_died(state: str) -> None:
    command = [sys.executable, "-c", PARENT, state, HANGS["nested loops"]]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as parent:  # noqa: ASYNC220  (a millisecond)
        assert parent.stdout is not None
        assert await asyncio.to_thread(parent.stdout.readline) == b"ready\n"
        (child,) = psutil.Process(parent.pid).children()
        parent.kill()
    await eventually(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
