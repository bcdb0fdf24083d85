"""Cursors for lists that stay stable while rows come and go: the sort key of the last row, packed into an opaque string."""

import base64
import binascii
from typing import Any

import msgspec

from csm_common.errors import InvalidError


def encode_cursor(*key: Any) -> str:
    """An opaque string for the sort key of a page's last row."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: type[Any]) -> Any:
    """The sort key again, as the tuple type `kinds`; InvalidError where somebody made it up."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)), type=kinds)
    except (binascii.Error, ValueError, msgspec.DecodeError) as error:
        raise InvalidError(
            "The cursor is not one of ours; leave it out to start from the beginning."
        ) from error
