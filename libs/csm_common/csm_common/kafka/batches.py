"""What was fetched, cut into transactions: many records of few keys fit into one, many keys do not.

A handler's work grows with the keys it touches far more than with the records: an account is looked at once per transaction,
however many facts of it there are. So a backlog of busy accounts is worked off in large steps, and one of many accounts in
small ones.
"""

from collections.abc import Iterator, Mapping

from csm_common.database.positions import Partition
from csm_common.kafka.record import Record

Batch = dict[Partition, list[Record]]


def batches(fetched: Mapping[Partition, list[Record]], most_keys: int) -> Iterator[Batch]:
    """Batches of at most so many keys, each partition's records in their order."""
    if sum(map(len, fetched.values())) <= most_keys:
        if fetched:
            yield dict(fetched)
        return
    batch: Batch = {}
    keys: set[bytes | None] = set()
    for partition, records in fetched.items():
        for record in records:
            if len(keys) >= most_keys and record.key not in keys:
                yield batch
                batch, keys = {}, set()
            keys.add(record.key)
            batch.setdefault(partition, []).append(record)
    if batch:
        yield batch
