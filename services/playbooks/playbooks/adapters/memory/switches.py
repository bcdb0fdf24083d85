"""Switches in memory."""

from collections.abc import Mapping

from playbooks.adapters.memory.state import State
from playbooks.application.model import Switch


class MemorySwitches:
    """Implements ports.Switches."""

    def __init__(self, state: State) -> None:
        self._switches = state.switches

    async def all(self) -> Mapping[str, Switch]:
        """Those that were ever thrown, by name."""
        return dict(self._switches)

    async def throw(self, switch: Switch) -> None:
        """Write it down, whatever it was before."""
        self._switches.put(switch.name, switch)
