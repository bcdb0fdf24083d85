"""Who is who: the names a person goes by, and the account they are in, by the last `group` call in the order of its times."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is the name that stands for all others of the person."""

    name: str
    account: str | None = None
    joined_at: datetime | None = None
