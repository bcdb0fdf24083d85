"""The key under which a signal's state is kept: the same for the same definition, whichever card or version it stands in."""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from hashlib import blake2b
from typing import Any


def key_of(definition: Any) -> str:
    """Its kind and a hash of all it was told; a field left at its default is not part of it, so new fields change no key."""
    digest = blake2b(_told(definition).encode(), digest_size=6).hexdigest()
    return f"{type(definition).__name__.lower()}:{digest}"


def _told(value: Any) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        named = ((each.name, getattr(value, each.name), each) for each in fields(value) if each.init)
        inside = [f"{name}={_told(told)}" for name, told, each in named if told != _default(each)]
        return f"{type(value).__name__}({','.join(inside)})"
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(f"{_told(name)}:{_told(each)}" for name, each in value.items())) + "}"
    if isinstance(value, tuple):
        return "(" + ",".join(map(_told, value)) + ")"
    return repr(float(value)) if isinstance(value, int) and not isinstance(value, bool) else repr(value)


def _default(field: Any) -> Any:
    if field.default is not MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not MISSING else MISSING
