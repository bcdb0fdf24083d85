"""Pausing, resuming and archiving: one playbook, or everything at once. What is under way keeps its place and its waits."""

from collections.abc import Callable
from typing import Literal

from csm_common.clock import Clock
from csm_common.errors import NotFoundError
from playbooks.application.actor import Actor
from playbooks.application.managing_ports import Managements
from playbooks.application.managing_views import Thrown
from playbooks.application.model import EVERYTHING, Audited, Switch

State = Literal["active", "paused", "archived"]

_ACTIONS = {"paused": "paused", "archived": "archived", "active": "resumed"}
_TOLD = {
    "paused": "Nothing starts, and no step is taken; what becomes due waits until it is resumed.",
    "archived": "Nothing starts any more; runs that are under way are finished.",
    "active": "What has become due meanwhile is taken up now.",
}


class Switching:
    """The use cases."""

    def __init__(self, store: Managements, clock: Clock, wake: Callable[[], None]) -> None:
        """`wake` tells the clock's door that runs may be due."""
        self._store = store
        self._clock = clock
        self._wake = wake

    async def engine(self) -> Thrown:
        """Whether everything is paused."""
        async with self._store.begin() as store:
            switch = (await store.switches.all()).get(EVERYTHING)
        return _thrown(EVERYTHING, switch, changed=False)

    async def pause_engine(self, reason: str, actor: Actor) -> Thrown:
        """Nothing starts and no step is taken, of any playbook."""
        return await self._throw(EVERYTHING, "paused", reason, actor)

    async def resume_engine(self, reason: str, actor: Actor) -> Thrown:
        """Playbooks that are paused by themselves stay so."""
        return await self._throw(EVERYTHING, "active", reason, actor)

    async def pause(self, name: str, reason: str, actor: Actor) -> Thrown:
        """Nothing starts and no step is taken. NotFoundError if there is no such playbook, here and below."""
        return await self._throw_one(name, "paused", reason, actor)

    async def archive(self, name: str, reason: str, actor: Actor) -> Thrown:
        """Nothing starts; runs finish."""
        return await self._throw_one(name, "archived", reason, actor)

    async def resume(self, name: str, reason: str, actor: Actor) -> Thrown:
        """As it was before it was paused or archived."""
        return await self._throw_one(name, "active", reason, actor)

    async def _throw_one(self, name: str, state: State, reason: str, actor: Actor) -> Thrown:
        async with self._store.begin() as store:
            if not await store.versions.of(name):
                raise NotFoundError(f"There is no playbook {name!r}; GET /v1/playbooks lists them.")
        return await self._throw(name, state, reason, actor)

    async def _throw(self, name: str, state: State, reason: str, actor: Actor) -> Thrown:
        async with self._store.begin() as store:
            await store.versions.lock()
            before = (await store.switches.all()).get(name)
            if (before.state if before else "active") == state:
                return _thrown(name, before, changed=False)
            switch = Switch(name=name, state=state, reason=reason, actor=str(actor), at=self._clock.now())
            await store.switches.throw(switch)
            subject = "engine" if name == EVERYTHING else f"playbook:{name}"
            await store.audit.add(
                [
                    Audited(
                        at=switch.at, actor=switch.actor, action=_ACTIONS[state], subject=subject,
                        detail={"reason": reason},
                    )
                ]
            )  # fmt: skip
        self._wake()
        return _thrown(name, switch, changed=True)


def _thrown(name: str, switch: Switch | None, *, changed: bool) -> Thrown:
    state = switch.state if switch else "active"
    return Thrown(
        name=name,
        state=state,
        reason=switch.reason if switch else None,
        actor=switch.actor if switch else None,
        at=switch.at if switch else None,
        changed=changed,
        told=_TOLD[state] if changed or state != "active" else "It is not switched off.",
    )
