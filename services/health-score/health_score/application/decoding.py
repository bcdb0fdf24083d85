"""From a record on the log to a fact, and the two hashes by which the journal knows it again."""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import msgspec

from csm_common.contracts.envelope import RawEnvelope
from csm_common.kafka.record import DeadLetter, Record
from health_score.domain.fact import Fact

OUR_SOURCES = "/csm/"

_envelope = msgspec.json.Decoder(RawEnvelope)
_data = msgspec.json.Decoder(dict[str, Any])
_sorted = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Decoded:
    """A fact with the record it came in and its hashes: of source and id, and of type, account and data.

    The time is in neither hash: where a sender leaves it out, ingest adds the time of receipt, and a repeat has another one.
    Nor is the way the data is written: what comes through another door, or is tried again, has other spaces.
    """

    record: Record
    envelope: RawEnvelope
    id_hash: int
    body_hash: int

    @property
    def is_outcome(self) -> bool:
        """Whether one of our own services tells it."""
        return self.envelope.source.startswith(OUR_SOURCES)

    def fact(self) -> Fact:
        """The fact with its data decoded; ValueError where the data is no JSON object."""
        envelope = self.envelope
        data = _data.decode(envelope.data)
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
    body_hash = _hash(envelope.type, envelope.subject, _canonical(bytes(envelope.data)))
    return Decoded(record, envelope, id_hash, body_hash)


def _canonical(data: bytes) -> bytes:
    """The same bytes for the same data; as they are where they are no JSON object, which `fact` complains of."""
    try:
        return _sorted.encode(_data.decode(data))
    except (msgspec.DecodeError, RecursionError):
        return data


def _hash(first: str, second: str, third: bytes = b"") -> int:
    digest = blake2b(f"{first}\x1f{second}\x1f".encode() + third, digest_size=8).digest()
    return int.from_bytes(digest, "little")
