"""Mails as real mail systems send them back, about one message of ours."""

from pathlib import Path

from notifier.adapters.tokens import ReturnAddresses
from notifier.domain.addresses import Mailbox

KEY = b"k" * 32
ADDRESSES = ReturnAddresses(KEY, Mailbox("bounces@mail.example.com"))
ID = "0f5c7b2e-3f0a-5a8e-9a38-7f0d6f1b2c11"

_MAILS = Path(__file__).parent / "mails"


def names() -> list[str]:
    """All there are."""
    return sorted(each.stem for each in _MAILS.glob("*.eml"))


def mail(name: str, addresses: ReturnAddresses = ADDRESSES, id: str = ID) -> bytes:
    """One, about the message `id`, with its signed return addresses."""
    text = (_MAILS / f"{name}.eml").read_text()
    text = text.replace("@@VERP@@", addresses.bounces(id)).replace("@@ID@@", id)
    return text.replace("@@UNSUBSCRIBE@@", addresses.unsubscribes(id) or "").encode()
