"""Contacts as they are told on their topic: whole, because it is compacted, and in the order in which they changed."""

from collections.abc import Mapping, Sequence

from ingest.application.accepted import Accepted
from ingest.application.contacts import moved, recorded
from ingest.application.ports import Work


async def keep_contacts(work: Work, facts: Sequence[Accepted]) -> None:
    """Take in what facts told of contacts, and tell of each contact as it is now."""
    changes = [fact.contact for fact in facts if fact.contact]
    if changes:
        await work.outbox.add([recorded(each) for each in await work.contacts.merge(changes)])


async def move_contacts(work: Work, names: Mapping[str, str]) -> None:
    """Contacts under a name that stands for somebody else now become one with theirs."""
    if names:
        pairs = await work.contacts.move(names)
        await work.outbox.add([message for pair in pairs for message in moved(*pair)])
