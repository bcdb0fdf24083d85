"""The topic registry: every topic, who writes it, who reads it, and how long it is kept. A test checks that it is whole."""

from dataclasses import dataclass, replace
from typing import Literal

DAY_MS = 24 * 60 * 60 * 1000


def dead_letter_topic(name: str) -> str:
    """The name of the dead-letter topic that belongs to the topic `name`."""
    return f"{name}.dlq"


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic. `retention_ms` None keeps records until compaction replaces them, which it does within a day; dead letters
    are kept for good unless `dead_letters_kept_ms` says otherwise."""

    name: str
    key: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    partitions: int
    cleanup: Literal["delete", "compact"]
    retention_ms: int | None
    types: tuple[str, ...]
    about: str
    dead_letters_kept_ms: int | None = None

    @property
    def dead_letters(self) -> str:
        """Where records go that no retry can help: original bytes and reason headers."""
        return dead_letter_topic(self.name)


CUSTOMER_EVENTS = Topic(
    name="customer.events.v1",
    key="account",
    producers=("ingest", "notifier", "playbooks"),
    consumers=("health-score",),
    partitions=12,
    cleanup="delete",
    retention_ms=400 * DAY_MS,
    types=("csm.*", "custom"),
    about="Every fact about every account; no personal data beyond opaque user ids.",
)
CUSTOMER_EVENTS_DEAD_LETTERS = replace(
    CUSTOMER_EVENTS,
    name=CUSTOMER_EVENTS.dead_letters,
    producers=("health-score",),
    consumers=("ingest",),
    partitions=1,
    about="Facts that could not be folded, such as a known id with another content; ingest lists them with its rejections.",
)
CUSTOMER_CONTACTS = Topic(
    name="customer.contacts.v1",
    key="account/contact",
    producers=("ingest",),
    consumers=("notifier",),
    partitions=4,
    cleanup="compact",
    retention_ms=None,
    types=("csm.contact.recorded", "csm.contact.erased", "csm.account.erased"),
    about="How to reach people; the only topic with personal data; erasure is a tombstone.",
    dead_letters_kept_ms=30 * DAY_MS,
)
HEALTH_ACCOUNTS = Topic(
    name="health.accounts.v1",
    key="account",
    producers=("health-score",),
    consumers=("playbooks", "notifier"),
    partitions=12,
    cleanup="compact",
    retention_ms=None,
    types=("csm.account.scored",),
    about="The newest snapshot of every account, for playbooks and anyone's CS tooling.",
)
HEALTH_CROSSINGS = Topic(
    name="health.crossings.v1",
    key="account",
    producers=("health-score",),
    consumers=("playbooks", "notifier"),
    partitions=12,
    cleanup="delete",
    retention_ms=90 * DAY_MS,
    types=("csm.threshold.crossed", "csm.account.erased"),
    about="Every threshold entered or left, and in order with them the end of an account that is erased.",
)
NOTIFICATION_REQUESTS = Topic(
    name="notifications.requests.v1",
    key="account",
    producers=("playbooks",),
    consumers=("notifier",),
    partitions=4,
    cleanup="delete",
    retention_ms=30 * DAY_MS,
    types=("csm.notification.requested",),
    about="Messages to people, asked for by playbook steps.",
)

TOPICS: tuple[Topic, ...] = (
    CUSTOMER_EVENTS,
    CUSTOMER_CONTACTS,
    HEALTH_ACCOUNTS,
    HEALTH_CROSSINGS,
    NOTIFICATION_REQUESTS,
)


def topic(name: str) -> Topic:
    """The registered topic of that name; KeyError where there is none."""
    return {each.name: each for each in TOPICS}[name]
