"""What differs between two versions of a scorecard, as a person would say it: by measure, threshold and knock-out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["scorecard", "band", "dimension", "measure", "threshold", "knockout"]
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that says something else; None where it is not told."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class PartChange:
    """A piece of the scorecard that came, went, or changed."""

    kind: Kind
    name: str
    change: Literal["added", "removed", "changed"]
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class ShareChange:
    """A measure's share of the whole score in percent when everything is known; None where it is not there."""

    measure: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs; `text` says it line by line."""

    changes: tuple[PartChange, ...]
    shares: tuple[ShareChange, ...]
    text: str


def difference(before: Data, after: Data) -> Difference:
    """The difference between the plain data of two versions; their number is not part of it."""
    old, new = dict(_parts(before)), dict(_parts(after))
    changes = [_change(key, old.get(key), new.get(key)) for key in dict.fromkeys([*old, *new])]
    found = tuple(each for each in changes if each is not None)
    was, now = _shares(before), _shares(after)
    names = dict.fromkeys([*was, *now])
    shares = tuple(ShareChange(n, was.get(n), now.get(n)) for n in names if was.get(n) != now.get(n))
    return Difference(found, shares, "\n".join([*_lines(found), *_share_lines(shares)]))


def _parts(card: Data) -> Iterator[tuple[tuple[Kind, str], dict[str, Any]]]:
    """Every piece with its fields, in the order of the file."""
    told = {name: card[name] for name in ("title", "applies_to", "priority") if name in card}
    yield ("scorecard", str(card.get("name"))), told
    for band, low in card.get("bands", {}).items():
        yield ("band", band), {"from": low}
    for name, dimension in card.get("dimensions", {}).items():
        yield ("dimension", name), {"weight": dimension.get("weight")}
        for measure, inside in dimension.get("measures", {}).items():
            yield ("measure", measure), {"dimension": name, **_flat(inside)}
    for name, threshold in card.get("thresholds", {}).items():
        yield ("threshold", name), _flat(threshold)
    for name, knockout in card.get("knockouts", {}).items():
        yield ("knockout", name), _flat(knockout)


def _flat(told: Data, prefix: str = "") -> dict[str, Any]:
    """Fields within fields by their path; a curve stays whole, and a list of one is that one."""
    found: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, Mapping) and name != "curve":
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value[0] if isinstance(value, list) and len(value) == 1 else value
    return found


def _change(key: tuple[Kind, str], old: Data | None, new: Data | None) -> PartChange | None:
    was, now = old or {}, new or {}
    fields = tuple(
        FieldChange(name, was.get(name), now.get(name))
        for name in dict.fromkeys([*was, *now])
        if was.get(name) != now.get(name)
    )
    if old is None or new is None:
        return PartChange(*key, "added" if old is None else "removed", fields)
    return PartChange(*key, "changed", fields) if fields else None


def _shares(card: Data) -> dict[str, float]:
    dimensions = card.get("dimensions", {}).values()
    total = sum(each["weight"] for each in dimensions)
    return {
        name: round(100 * dimension["weight"] / total * measure["weight"] / inside, 2)
        for dimension in dimensions
        for inside in [sum(each["weight"] for each in dimension["measures"].values())]
        for name, measure in dimension["measures"].items()
    }


def _lines(changes: tuple[PartChange, ...]) -> Iterator[str]:
    for each in changes:
        if each.change != "changed":
            told = {
                field.field: field.after if each.change == "added" else field.before for field in each.fields
            }
            inside = ", ".join(f"{name} {_said(value)}" for name, value in told.items())
            yield f"{'+' if each.change == 'added' else '-'} {each.kind} {each.name}: {inside}"
        for field in each.fields if each.change == "changed" else ():
            yield f"~ {each.kind} {each.name}: {field.field} {_said(field.before)} → {_said(field.after)}"


def _share_lines(shares: tuple[ShareChange, ...]) -> Iterator[str]:
    for each in shares:
        yield f"  {each.measure}: {_percent(each.before)} → {_percent(each.after)} of the score"


def _percent(share: float | None) -> str:
    return "nothing" if share is None else f"{share:g} %"


def _said(value: Any) -> str:
    return "(not told)" if value is None else _written(value)


def _written(value: Any) -> str:
    """As in the file, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_written(key)}: {_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.10g}" if isinstance(value, (int, float)) else str(value)
