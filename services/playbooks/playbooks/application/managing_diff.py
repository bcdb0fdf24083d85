"""What differs between two versions of a playbook, member by member; steps are known by their names, wherever they stand."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A member that came, went, or says something else; None where it is not there."""

    member: str
    change: Literal["added", "removed", "changed"]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs; `text` says it line by line."""

    changes: tuple[MemberChange, ...]
    text: str


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """The difference between the plain data of two versions."""
    changes = tuple(_mappings(before, after, ""))
    return Difference(changes, "\n".join(map(_line, changes)))


def _mappings(before: Mapping[str, Any], after: Mapping[str, Any], path: str) -> Iterator[MemberChange]:
    for name in sorted(dict.fromkeys([*before, *after]), key=lambda each: each == "steps"):
        member = f"{path}{name}"
        if name not in after:
            yield MemberChange(member, "removed", before[name], None)
        elif name not in before:
            yield MemberChange(member, "added", None, after[name])
        else:
            yield from _values(before[name], after[name], member)


def _values(before: Any, after: Any, member: str) -> Iterator[MemberChange]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _mappings(before, after, f"{member}.")
    elif (was := _by_name(before)) is not None and (now := _by_name(after)) is not None:
        yield from _mappings(was, now, f"{member}.")
        kept, order = [each for each in was if each in now], [each for each in now if each in was]
        if kept != order:
            yield MemberChange(f"{member} (order)", "changed", kept, order)
    elif before != after:
        yield MemberChange(member, "changed", before, after)


def _by_name(value: Any) -> dict[str, Mapping[str, Any]] | None:
    """A list of named things, as steps, cases and paths are."""
    if (
        isinstance(value, list)
        and value
        and all(isinstance(each, Mapping) and "name" in each for each in value)
    ):
        return {each["name"]: each for each in value}
    return None


def _line(change: MemberChange) -> str:
    match change.change:
        case "added":
            return f"+ {change.member}: {_said(change.after)}"
        case "removed":
            return f"- {change.member}: {_said(change.before)}"
    return f"~ {change.member}: {_said(change.before)} → {_said(change.after)}"


def _said(value: Any) -> str:
    """As in the file, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_said(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_said, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
