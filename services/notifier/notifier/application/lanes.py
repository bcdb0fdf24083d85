"""Which endpoints can take a message now: each has room for so many at once, and rests while it is out of order.

Kept in the memory of a sender: another one finds out for itself, at the price of a few attempts.
"""

from collections import Counter, OrderedDict
from collections.abc import Collection
from datetime import datetime

from notifier.application.ports import Manners
from notifier.domain.breakers import WELL, Breaker, BreakerRules
from notifier.domain.delivery import Answer

_REMEMBERED = 10_000


class Lanes:
    """`enter` for each message that begins, `leave` when it has ended; between them it takes a place at its endpoint."""

    def __init__(self, rules: BreakerRules) -> None:
        self._rules = rules
        self._inside: Counter[str] = Counter()
        self._places: dict[str, int] = {}
        self._full: set[str] = set()
        self._has_opened = False
        self._breakers: OrderedDict[str, Breaker] = OrderedDict()

    @property
    def full(self) -> Collection[str]:
        """Endpoints that have no room. Who was full has room again once half of the places are free: so many are looked for at
        once then, and not one by one."""
        return self._full

    def opened(self) -> bool:
        """Whether an endpoint that was full has got room since this was asked last."""
        opened, self._has_opened = self._has_opened, False
        return opened

    def rests_until(self, endpoint: str, now: datetime) -> datetime | None:
        """The end of its rest, where it rests."""
        return self._breakers.get(endpoint, WELL).resting(now)

    def resting(self, now: datetime) -> Collection[str]:
        """All endpoints that rest now, be it that they are out of order or asked for a pause."""
        return [name for name, each in self._breakers.items() if each.resting(now) is not None]

    def room(self, endpoint: str, manners: Manners) -> int:
        """How many more it could take. An endpoint on trial after its rest has one place."""
        places = 1 if self._breakers.get(endpoint, WELL).on_trial else manners.at_once
        return max(0, places - self._inside[endpoint])

    def enter(self, endpoint: str, manners: Manners) -> bool:
        """Take a place; False where there is none."""
        room = self.room(endpoint, manners)
        if room > 0:
            self._inside[endpoint] += 1
            self._places[endpoint] = manners.at_once
        if room <= 1:
            self.crowd(endpoint)
        return room > 0

    def crowd(self, endpoint: str) -> None:
        """More is due for it than it has room for: it is full until something has left it."""
        if self._inside[endpoint]:
            self._full.add(endpoint)

    def leave(self, endpoint: str, answer: Answer | None, now: datetime) -> None:
        """Give the place back, with the endpoint's answer where it gave one."""
        self._inside[endpoint] -= 1
        if endpoint in self._full and self._inside[endpoint] <= self._places[endpoint] // 2:
            self._full.discard(endpoint)
            self._has_opened = True
        if self._inside[endpoint] <= 0:
            del self._inside[endpoint], self._places[endpoint]
        if answer is not None:
            self._learn(endpoint, answer, now)

    def _learn(self, endpoint: str, answer: Answer, now: datetime) -> None:
        known = self._breakers.pop(endpoint, WELL)
        if answer.fault:
            known = known.after_fault(now, self._rules)
        elif answer.retry_after is None:
            known = WELL
        if answer.retry_after is not None:
            known = known.after_pause(now + min(answer.retry_after, self._rules.longest))
        if known is not WELL:
            self._breakers[endpoint] = known
        while len(self._breakers) > _REMEMBERED:
            self._breakers.popitem(last=False)
