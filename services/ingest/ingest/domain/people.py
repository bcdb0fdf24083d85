"""Who is who: the names a person goes by, and the account a person is in.

One name stands for all others of a person. A person is in the account of the last `group` call, in the order of the calls'
own times, so that calls which arrive late or twice change nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is the name that stands for all others. `joined_at` is the time of the call that told of the account."""

    name: str
    account: str | None = None
    joined_at: datetime | None = None


@dataclass(slots=True)
class Circle:
    """The persons that some messages speak of, by every name these use. What changes is noted for whoever keeps them:
    rows that `changed`, names `merged` into others, persons who `joined` an account, how often a name was linked to another."""

    persons: dict[str, Person]
    changed: dict[str, Person] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    joined: set[str] = field(default_factory=set)
    links: int = 0
    _names: dict[str, set[str]] = field(init=False)

    def __post_init__(self) -> None:
        """Know the names of each person."""
        self._names = defaultdict(set)
        for name, person in self.persons.items():
            self._names[person.name].add(name)

    def meet(self, names: Sequence[str], *, merge: bool) -> str:
        """The name that stands for the person who goes by `names`, the first of which is the best known.

        Another name joins them where it is new or has stood for itself alone so far. A name that belongs to somebody else
        stays theirs (two people share a browser), unless `merge` says that these are one person.
        """
        person = self._known(names[0])
        for name in names[1:]:
            other = self.persons.get(name)
            if other is None:
                self.links += 1
                self._put(name, person)
            elif other.name != person.name and (merge or other.name == name):
                person = self._merge(other, person)
        return person.name

    def join(self, name: str, account: str, at: datetime) -> None:
        """Put the person into an account, unless a later call has told of another."""
        person = self._known(name)
        if person.joined_at is None or at >= person.joined_at:
            self._replace(person, replace(person, account=account, joined_at=at))
        self.joined.add(person.name)

    def account_of(self, name: str) -> str | None:
        """The account the person is in."""
        person = self.persons.get(name)
        return person.account if person else None

    def _known(self, name: str) -> Person:
        return self.persons.get(name) or self._put(name, Person(name))

    def _put(self, name: str, person: Person) -> Person:
        self.persons[name] = self.changed[name] = person
        self._names[person.name].add(name)
        return person

    def _merge(self, gone: Person, stays: Person) -> Person:
        """Both are one from now on, in the account that was told last."""
        self.links += 1
        latest = max((stays, gone), key=_told_at)
        whole = replace(stays, account=latest.account, joined_at=latest.joined_at)
        self._replace(gone, whole)
        self._replace(stays, whole)
        self._put(gone.name, whole)
        self.merged[gone.name] = whole.name
        self.merged |= {old: whole.name for old, new in self.merged.items() if new == gone.name}
        if whole.account is not None:
            self.joined.add(whole.name)
        self.joined.discard(gone.name)
        return whole

    def _replace(self, old: Person, new: Person) -> None:
        for name in self._names.pop(old.name):
            self._put(name, new)


def _told_at(person: Person) -> tuple[bool, float]:
    return person.account is not None, person.joined_at.timestamp() if person.joined_at else 0.0


def renamed(data: Mapping[str, object], names: Iterable[str], name: str) -> dict[str, object]:
    """The data with the name that stands for a person in place of any other of their `names`.

    >>> renamed({"user_id": "cookie-1", "feature": "report"}, ("cookie-1",), "kim")
    {'user_id': 'kim', 'feature': 'report'}
    """
    known = set(names)
    return {
        key: name if key in _PERSON_FIELDS and isinstance(value, str) and value in known else value
        for key, value in data.items()
    }


_PERSON_FIELDS = frozenset({"user_id", "contact_id", "respondent_id"})
