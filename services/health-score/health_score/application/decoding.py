"""From a record on the log to a fact, and the two hashes by which the journal knows it again."""

from typing import Any, NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from csm_common.contracts.envelope import RawEnvelope
from csm_common.kafka.record import DeadLetter, Record
from health_score.domain.fact import Fact

OUR_SOURCES = "/csm/"

_envelope = msgspec.json.Decoder(RawEnvelope)
_data = msgspec.json.Decoder(dict[str, Any])
_sorted = msgspec.json.Encoder(order="deterministic")


class Decoded(NamedTuple):
    """A fact with the record it came in, its data where they are a JSON object, and its hashes: of source and id, and of type,
    account and data. `is_outcome`: one of our own services tells it.

    The time is in neither hash: where a sender leaves it out, ingest adds the time of receipt, and a repeat has another one.
    Nor is the way the data is written: what comes through another door, or is tried again, has other spaces.
    """

    record: Record
    envelope: RawEnvelope
    id_hash: int
    body_hash: int
    data: dict[str, Any] | None
    is_outcome: bool

    def fact(self) -> Fact:
        """The fact with its data; ValueError where that is no JSON object."""
        envelope = self.envelope
        data = _data.decode(envelope.data) if self.data is None else self.data
        return Fact(
            envelope.id, envelope.type, envelope.subject, envelope.time.timestamp(), data, envelope.backfill
        )


def decode(record: Record) -> Decoded | DeadLetter:
    """The decoded record, or the dead letter it has to become."""
    try:
        envelope = _envelope.decode(record.value or b"")
    except (msgspec.DecodeError, ValueError) as error:
        return DeadLetter(record, "undecodable", str(error))
    id_hash = _hash(envelope.source, envelope.id)
    data = _object(envelope.data)
    canonical = bytes(envelope.data) if data is None else _sorted.encode(data)
    body_hash = _hash(envelope.type, envelope.subject, canonical)
    return Decoded(record, envelope, id_hash, body_hash, data, envelope.source.startswith(OUR_SOURCES))


def _object(data: msgspec.Raw) -> dict[str, Any] | None:
    """The data, None where they are no JSON object, which `fact` complains of."""
    try:
        return _data.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return None


def _hash(first: str, second: str, third: bytes = b"") -> int:
    return xxh3_64_intdigest(f"{first}\x1f{second}\x1f".encode() + third)
