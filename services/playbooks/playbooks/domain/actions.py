"""What a step can do without leading anywhere else: tell somebody, wait, give work, call an endpoint, end the run."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from playbooks.domain.durations import working_days
from playbooks.domain.rules import STRICT, require, require_duration, require_name, require_text

ACCOUNT_ZONE = "account"
"""The zone of the account: its attribute `timezone`, else the engine's own."""

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whom to reach, by exactly one of: the account's owner, its team, the role of a contact, the id of a contact, an endpoint by
    the name an operator gave it."""

    __pydantic_config__ = STRICT

    owner: bool = False
    role: str | None = None
    contact: str | None = None
    team: bool = False
    endpoint: str | None = None

    def __post_init__(self) -> None:
        named = [each is not None for each in (self.role, self.contact, self.endpoint)]
        require(
            sum([self.owner, self.team, *named]) == 1,
            "give one of owner: true, team: true, role: NAME, contact: ID, endpoint: NAME",
        )
        for member, text in (("role", self.role), ("contact", self.contact)):
            require(text is None or bool(text.strip()), "must not be empty", member)
        if self.endpoint is not None:
            require_name(self.endpoint, "endpoint")

    @property
    def person(self) -> bool:
        """Whether it is one person."""
        return not self.team and self.endpoint is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """A message to the first of the recipients who can be resolved. `if_held`: what becomes of one that must not go at once, as
    at night or when somebody has had enough messages for now."""

    __pydantic_config__ = STRICT

    channel: Literal["email", "slack", "teams", "webhook"]
    recipients: tuple[Recipient, ...]
    template: str
    category: str
    message_class: Literal["transactional", "internal", "marketing"]
    if_held: Literal["later", "drop"] = "later"

    def __post_init__(self) -> None:
        require(bool(self.recipients), "at least one recipient is needed", "recipients")
        for index, each in enumerate(self.recipients):
            require(
                self.channel != "email" or each.endpoint is None,
                "an email goes to people and teams; endpoints are of slack, teams and webhook",
                "recipients",
                index,
            )
            require(
                self.channel != "webhook" or not each.person,
                "a webhook reaches no person: give team: true or endpoint: NAME",
                "recipients",
                index,
            )
        require_name(self.template, "template")
        require_name(self.category, "category")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignee:
    """Who gets a task, by exactly one of: the id of a contact, the least loaded of several, each of several in turn."""

    __pydantic_config__ = STRICT

    contact: str | None = None
    least_loaded: tuple[str, ...] = ()
    round_robin: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given = [self.contact is not None, bool(self.least_loaded), bool(self.round_robin)]
        require(sum(given) == 1, "give one of contact: ID, least_loaded: [ID …], round_robin: [ID …]")
        for member, ids in (("least_loaded", self.least_loaded), ("round_robin", self.round_robin)):
            for index, each in enumerate(ids):
                require_text(each, member, index)
            require(len(set(ids)) == len(ids), "names somebody twice", member)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Work for a person, due `due_in` after the step: a duration, or working days (`3wd`). What is due in days never falls due on
    a day off. Type and reason are the identity of an account's open task."""

    __pydantic_config__ = STRICT

    type: str
    title: str
    reason: str
    assignee: Literal["owner"] | Assignee
    due_in: str

    def __post_init__(self) -> None:
        require_name(self.type, "type")
        require_text(self.title, "title")
        require_text(self.reason, "reason")
        if working_days(self.due_in) is None:
            require_duration(self.due_in, "due_in")


@dataclass(frozen=True, slots=True, kw_only=True)
class Until:
    """A wait for an instant on a calendar: the next `time` of day, or an account's date.

    `time` is local in `zone`. Without `date` it is the next such time on a day of `days`. With `date`, the name of an attribute
    of the account, it is that day, `before` or `after` by so many days, at `time` (midnight where none is given); a date that
    falls on a day off moves back to the working day before it where `days` is working.
    """

    __pydantic_config__ = STRICT

    time: str | None = None
    date: str | None = None
    before: str | None = None
    after: str | None = None
    days: Literal["any", "working"] = "any"
    zone: str = ACCOUNT_ZONE

    def __post_init__(self) -> None:
        require(self.time is not None or self.date is not None, "give a time, a date, or both")
        require(
            self.time is None or _TIME.fullmatch(self.time) is not None,
            f"{self.time!r} is not a time of day such as 09:00",
            "time",
        )
        if self.date is not None:
            require_text(self.date, "date")
            require(
                not _is_day(self.date),
                f"{self.date} is a day: name the attribute of the account that holds one, such as renewal_date",
                "date",
            )
        for member, text in (("before", self.before), ("after", self.after)):
            require(text is None or self.date is not None, "needs a date", member)
            if text is not None:
                require_duration(text, member)
        require(self.before is None or self.after is None, "give before or after, not both", "after")
        require(
            _is_zone(self.zone),
            f"there is no time zone {self.zone!r}; write account or Europe/Berlin",
            "zone",
        )

    @property
    def time_of_day(self) -> dt.time:
        """`time`, midnight where there is none."""
        return dt.time.fromisoformat(self.time or "00:00")


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_zone(name: str) -> bool:
    if name == ACCOUNT_ZONE:
        return True
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A signed POST to an endpoint of the settings, with `data` beside what is known of the account and the run."""

    __pydantic_config__ = STRICT

    endpoint: str
    data: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        require_name(self.endpoint, "endpoint")
