"""From a record's bytes to an event of the type that is expected, with its data in the contract's shape."""

from typing import Generic, TypeVar

import msgspec

from csm_common.contracts.envelope import RawEnvelope

DataT = TypeVar("DataT")

_envelopes = msgspec.json.Decoder(RawEnvelope)


def envelope_of(value: bytes) -> RawEnvelope:
    """The event, its data as bytes; msgspec.MsgspecError where it is none."""
    return _envelopes.decode(value)


class Decoder(Generic[DataT]):
    """Reads events of one type with data of one shape."""

    def __init__(self, type_: str, shape: type[DataT]) -> None:
        self._type = type_
        self._data = msgspec.json.Decoder(shape)

    def decode(self, value: bytes) -> tuple[RawEnvelope, DataT]:
        """The event and its data; msgspec.MsgspecError where it is neither JSON, an event, nor of the right type."""
        event = envelope_of(value)
        if event.type != self._type:
            raise msgspec.ValidationError(f"Expected an event of type {self._type}, got {event.type}")
        return event, self._data.decode(event.data)
