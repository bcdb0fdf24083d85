"""Dead letters: what they carry, and the limit that tells a bad deploy from bad records."""

from csm_common.database.positions import Partition
from csm_common.kafka.dead_letters import DeadLetterLimit, dead_letter_message
from csm_common.kafka.record import DeadLetter, Record

HERE: Partition = ("events", 0)
THERE: Partition = ("events", 1)


def records(partition: Partition, *offsets: int) -> list[Record]:
    """Records of a partition at these offsets."""
    return [Record(*partition, offset, 0.0, b"key", b"value") for offset in offsets]


def poison(*spoilt: Record, poison: bool = True) -> list[DeadLetter]:
    """Dead letters of these records."""
    return [DeadLetter(each, "handler_failed", "reason", poison=poison) for each in spoilt]


def apply(
    limit: DeadLetterLimit, partition: Partition, batch: list[Record], letters: list[DeadLetter]
) -> int:
    """The run after a batch that lasts."""
    runs = limit.after({partition: batch}, letters)
    limit.remember(runs)
    return runs[partition]


def test_a_dead_letter_carries_the_original_and_where_it_came_from() -> None:
    record = Record("events", 3, 77, 0.0, b"acme", b"\xff", None)
    message = dead_letter_message("health-score", DeadLetter(record, "conflict", "Known with another body."))
    assert (message.topic, message.key, message.value) == ("events.dlq", b"acme", b"\xff")
    assert message.headers == {
        "dlq-consumer": "health-score",
        "dlq-topic": "events",
        "dlq-partition": "3",
        "dlq-offset": "77",
        "dlq-code": "conflict",
        "dlq-reason": "Known with another body.",
    }


def test_a_reason_is_cut_to_size_and_made_valid_text() -> None:
    reason = "no text: \udcff " + "x" * 5_000
    message = dead_letter_message("c", DeadLetter(records(HERE, 1)[0], "handler_failed", reason))
    told = message.headers["dlq-reason"]
    assert told.startswith("no text: \\udcff xxx")
    assert len(told.encode()) < 1_100


def test_poison_in_a_row_adds_up_over_batches() -> None:
    limit = DeadLetterLimit(3)
    first, second = records(HERE, 1, 2, 3), records(HERE, 4)
    assert apply(limit, HERE, first, poison(*first[1:])) == 2
    runs = limit.after({HERE: second}, poison(*second))
    assert runs == {HERE: 3}
    assert limit.exceeded(runs) == [HERE]


def test_a_good_record_ends_the_run() -> None:
    limit = DeadLetterLimit(3)
    batch = records(HERE, 1, 2, 3, 4)
    assert apply(limit, HERE, batch[:2], poison(*batch[:2])) == 2
    assert apply(limit, HERE, batch[2:], poison(batch[3])) == 1


def test_what_the_sender_is_to_blame_for_does_not_count() -> None:
    limit = DeadLetterLimit(1)
    batch = records(HERE, 1, 2)
    runs = limit.after({HERE: batch}, poison(*batch, poison=False))
    assert limit.exceeded(runs) == []


def test_partitions_are_counted_apart() -> None:
    limit = DeadLetterLimit(2)
    here, there = records(HERE, 1, 2), records(THERE, 1, 2)
    runs = limit.after({HERE: here, THERE: there}, poison(*here, there[0]))
    assert runs == {HERE: 2, THERE: 0}
    assert limit.exceeded(runs) == [HERE]


def test_a_batch_that_did_not_last_is_forgotten() -> None:
    limit = DeadLetterLimit(2)
    batch = records(HERE, 1)
    limit.after({HERE: batch}, poison(*batch))  # rolled back: not remembered
    assert apply(limit, HERE, batch, poison(*batch)) == 1
