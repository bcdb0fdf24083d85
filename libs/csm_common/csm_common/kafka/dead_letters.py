"""Records that no retry can help: copied to the topic's dead-letter topic with the reason, in the position's transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from csm_common.contracts.topics import dead_letter_topic
from csm_common.database.outbox import Message
from csm_common.database.positions import Partition
from csm_common.kafka.record import DeadLetter, Record


def dead_letter_message(consumer: str, letter: DeadLetter) -> Message:
    """The original bytes under the original key; where it came from and why it is here in the headers."""
    record = letter.record
    headers = {
        "dlq-consumer": consumer,
        "dlq-topic": record.topic,
        "dlq-partition": str(record.partition),
        "dlq-offset": str(record.offset),
        "dlq-code": letter.code,
        # A reason may quote input that is no valid text; the dead letter must get through all the same.
        "dlq-reason": letter.reason[:1000].encode(errors="backslashreplace").decode(),
    }
    return Message(dead_letter_topic(record.topic), record.key, record.value, headers)


class DeadLetterLimit:
    """Counts poison records in a row per partition: so many of them mean a bad deploy, not bad records, and must not drain
    a topic into its dead letters."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._runs: dict[Partition, int] = defaultdict(int)

    def after(
        self, records: Mapping[Partition, Sequence[Record]], letters: Sequence[DeadLetter]
    ) -> dict[Partition, int]:
        """The length of the run of poison at the end of each partition's records, without remembering it yet."""
        poison = {
            (each.record.topic, each.record.partition, each.record.offset) for each in letters if each.poison
        }
        return {partition: self._run(partition, batch, poison) for partition, batch in records.items()}

    def _run(self, partition: Partition, batch: Sequence[Record], poison: set[tuple[str, int, int]]) -> int:
        run = 0
        for record in reversed(batch):
            if (record.topic, record.partition, record.offset) not in poison:
                return run
            run += 1
        return run + self._runs[partition]

    def exceeded(self, runs: Mapping[Partition, int]) -> list[Partition]:
        """The partitions whose run is too long."""
        return [partition for partition, run in runs.items() if run >= self._limit]

    def remember(self, runs: Mapping[Partition, int]) -> None:
        """The transaction lasts: so do its runs."""
        self._runs.update(runs)
