"""An account's state as bytes (MessagePack) and back."""

import msgspec

from health_score.domain.account import AccountState
from health_score.domain.compiled import CompiledCard

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(AccountState)


class StateCodec:
    """Knows from the scorecard which type each measure's signal state has."""

    def __init__(self, card: CompiledCard) -> None:
        self._types = card.state_types

    def encode(self, state: AccountState) -> bytes:
        """The state's bytes."""
        return _encoder.encode(state)

    def decode(self, stored: bytes) -> AccountState:
        """The state again; signals of measures that the card no longer has are dropped."""
        state = _decoder.decode(stored)
        state.signals = {
            name: msgspec.convert(each, self._types[name])
            for name, each in state.signals.items()
            if name in self._types
        }
        return state
