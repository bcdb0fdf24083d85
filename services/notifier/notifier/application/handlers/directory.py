"""Keep the contact directory as `customer.contacts.v1` tells it."""

from collections.abc import Sequence
from itertools import groupby

from notifier.application.ports import Directory, DirectoryEntry

Erasure = bytes
"""The key of a tombstone."""


async def update_directory(directory: Directory, changes: Sequence[DirectoryEntry | Erasure]) -> None:
    """Apply the changes in the order of the log, neighbours of a kind together."""
    for erasing, group in groupby(changes, key=lambda each: isinstance(each, bytes)):
        if erasing:
            await directory.erase([each for each in group if isinstance(each, bytes)])
        else:
            await directory.record([each for each in group if isinstance(each, DirectoryEntry)])
