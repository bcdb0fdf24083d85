"""The rate limit of every key, in events a second, in each process by itself."""

import time
from collections import OrderedDict
from collections.abc import Callable

from csm_common.errors import RateLimitedError
from csm_common.web.auth import Principal
from ingest.domain.limits import Bucket

_BURST_S = 2.0
_KEYS = 10_000


class Limiter:
    """`events_per_s` holds for keys without a limit of their own; twice that may come at once."""

    def __init__(self, events_per_s: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._events_per_s = events_per_s
        self._monotonic = monotonic
        self._buckets: OrderedDict[tuple[str, int], Bucket] = OrderedDict()

    def take(self, principal: Principal, events: int) -> None:
        """Count so many events; RateLimitedError where the key has sent too many."""
        now = self._monotonic()
        rate = principal.events_per_s or self._events_per_s
        bucket = self._buckets.get((principal.key_id, rate)) or self._new(principal.key_id, rate, now)
        wait = bucket.take(events, now)
        if wait:
            raise RateLimitedError(
                f"This key may send {bucket.rate:g} events a second. Send the same again after {max(1, round(wait))} s.",
                retry_after=wait,
            )

    def _new(self, key_id: str, rate: int, now: float) -> Bucket:
        size = rate * _BURST_S
        bucket = self._buckets[key_id, rate] = Bucket(rate, size, size, now)
        if len(self._buckets) > _KEYS:
            self._buckets.popitem(last=False)
        return bucket
