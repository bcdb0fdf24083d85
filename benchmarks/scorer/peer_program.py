"""A count per account and one threshold, as Quix Streams does it; run by the peer's own interpreter.

    python peer_program.py BOOTSTRAP TOPIC EVENTS STATE_DIRECTORY

Prints events/s from the first event to the last. State is in RocksDB with its changelog on the broker, as by default; what is
committed last is committed after the clock has stopped.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

from quixstreams import Application  # type: ignore[import-not-found]  # lives in the peer's own environment

THRESHOLD = 100


def count(event: dict[str, Any], state: Any) -> dict[str, Any]:
    """Count the event for its account."""
    counted = state.get("count", 0) + 1
    state.set("count", counted)
    return {"account": event["subject"], "count": counted}


class Clock:
    """Notes when the first event and when the last was processed, and ends the program then."""

    def __init__(self, events: int) -> None:
        self.events = events
        self.seen = 0
        self.began = self.ended = 0.0
        self.stop: Callable[[], None] = lambda: None

    def __call__(self, *_: object) -> None:
        """Another event has been processed."""
        self.seen += 1
        if self.seen == 1:
            self.began = time.perf_counter()
        if self.seen == self.events:
            self.ended = time.perf_counter()
            self.stop()


def main(bootstrap: str, topic: str, events: int, state: str) -> None:
    """Consume them all."""
    clock = Clock(events)
    app = Application(
        bootstrap,
        consumer_group="peer",
        auto_offset_reset="earliest",
        state_dir=state,
        consumer_extra_config={"fetch.wait.max.ms": 10},  # the embedded broker's long polls do not wake
        on_message_processed=clock,
        loglevel="ERROR",
    )
    clock.stop = app.stop
    counts = app.dataframe(app.topic(topic)).apply(count, stateful=True)
    counts.filter(lambda each: each["count"] == THRESHOLD).to_topic(app.topic("benchmark.peer.crossings"))
    app.run()
    print((events - 1) / (clock.ended - clock.began))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4])
