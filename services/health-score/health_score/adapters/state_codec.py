"""An account's state as bytes (MessagePack) and back."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from health_score.domain.account import AccountState
from health_score.domain.signals import AnySignal

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AccountState)


class StateCodec:
    """Knows from the signals in use which type each state has. What is not in use stays as it is, until the writer drops it."""

    def __init__(self, known: Callable[[], Mapping[str, AnySignal]]) -> None:
        self._known = known

    def encode(self, state: AccountState) -> bytes:
        """The state's bytes."""
        return _encoder.encode(state)

    def decode(self, stored: bytes) -> AccountState:
        """The state again."""
        state = _decoder.decode(stored)
        state.signals = self._typed(state.signals)
        return state

    def _typed(self, signals: Mapping[str, Any]) -> dict[str, Any]:
        known = self._known()
        return {
            key: msgspec.convert(each, known[key].state_type) if key in known else each
            for key, each in signals.items()
        }
