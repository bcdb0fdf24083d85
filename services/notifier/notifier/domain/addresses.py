"""What counts as an email address: strict enough that none can smuggle a header, a second recipient or an SMTP command."""

import re

_ADDRESS = re.compile(r"""[^\s\x00-\x20\x7f-\xa0@<>()\[\],:;"\\]+@[^\s\x00-\x20\x7f-\xa0@<>()\[\],:;"\\]+""")
_LONGEST = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets


def is_address(text: str | None) -> bool:
    """Whether `text` is one plain address, local part and domain, without a display name."""
    return text is not None and len(text) <= _LONGEST and _ADDRESS.fullmatch(text) is not None
