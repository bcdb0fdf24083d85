"""The sink of `--dry-run`: holds each fact against its contract in place of sending it."""

from collections.abc import Sequence

import msgspec

from csm_cli.importing.door import Refusal
from csm_common.contracts.envelope import RawEnvelope
from csm_common.contracts.facts import FACTS

_decode = msgspec.json.Decoder(RawEnvelope).decode


class ContractCheck:
    """Refuses what breaks the contract of its fact type; custom facts pass."""

    async def send(self, events: Sequence[bytes]) -> list[Refusal]:
        """The events that ingest would not take."""
        mistakes = ((index, _mistake(event)) for index, event in enumerate(events))
        return [Refusal(index, "data_invalid", mistake) for index, mistake in mistakes if mistake]


def _mistake(event: bytes) -> str | None:
    envelope = _decode(event)
    shape = FACTS.get(envelope.type)
    if shape is None:
        return None
    try:
        msgspec.json.decode(envelope.data, type=shape)
    except msgspec.ValidationError as error:
        return str(error)
    return None
