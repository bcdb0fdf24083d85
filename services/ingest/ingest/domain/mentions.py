"""How a name can stand in a message that was kept as it came."""

import json

_TELLING = 6  # a vendor's shorter id, such as 42, would be found in messages about anybody


def mentions(name: str) -> frozenset[str]:
    """The ways to write the name as a whole JSON string; of a vendor's id also without the vendor (stripe:cus_1).

    What escapes characters that need none, or holds the name inside a longer text, is not among them.

    >>> sorted(mentions("é"))
    ['"\\\\u00e9"', '"é"']
    """
    _, mark, own = name.partition(":")
    names = [name, own] if mark and len(own) >= _TELLING else [name]
    written = {json.dumps(each, ensure_ascii=ascii_) for each in names for ascii_ in (False, True)}
    return frozenset(written | {each.replace("/", "\\/") for each in written})
