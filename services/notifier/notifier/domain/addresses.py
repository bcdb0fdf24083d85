"""What counts as an email address: strict enough that none can smuggle a header, a second recipient or an SMTP command."""

import re
from dataclasses import dataclass
from email.utils import getaddresses

_ADDRESS = re.compile(r"""[^\s\x00-\x20\x7f-\xa0@<>()\[\],:;"\\]+@[^\s\x00-\x20\x7f-\xa0@<>()\[\],:;"\\]+""")
_LONGEST = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets


def is_address(text: str | None) -> bool:
    """Whether `text` is one plain address, local part and domain, without a display name."""
    return text is not None and len(text) <= _LONGEST and _ADDRESS.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address and the name it goes by."""

    address: str
    name: str = ""

    @classmethod
    def parse(cls, text: str) -> "Mailbox":
        """Of `team@example.com` or `The Team <team@example.com>`; ValueError for anything else."""
        found = getaddresses([text])
        if len(found) != 1 or not is_address(found[0][1]):
            raise ValueError(f"{text!r} is no mailbox; write team@example.com or The Team <team@example.com>")
        return cls(found[0][1], found[0][0])

    @property
    def local_part(self) -> str:
        """What stands before the @."""
        return self.address.rpartition("@")[0]

    @property
    def domain(self) -> str:
        """What stands after the @."""
        return self.address.rpartition("@")[2]
