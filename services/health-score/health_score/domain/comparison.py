"""What is different between two assessments of an account, by measure, the largest part first."""

from dataclasses import dataclass

from health_score.domain.assessment import Assessment, rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A measure whose part of the score moved, by `moved` points; None where it had no part, or was not known."""

    name: str
    value_before: float | None
    value_after: float | None
    points_before: float | None
    points_after: float | None
    part_before: float | None
    part_after: float | None
    moved: float


LEAST = 1e-6
"""What moved less is no difference (points)."""


def moved(before: Assessment | None, after: Assessment) -> tuple[Moved, ...]:
    """The measures whose parts differ; those of one assessment alone count in full. Their sum is the difference of `computed`."""
    known = None if before is None else before.parts
    names = [*after.parts, *[name for name in known or {} if name not in after.parts]]
    found = [_moved(name, before, after) for name in names]
    return tuple(sorted([each for each in found if _differs(each)], key=lambda each: -abs(each.moved)))


def _differs(each: Moved) -> bool:
    return abs(each.moved) >= LEAST or (each.part_before is None) != (each.part_after is None)


def _moved(name: str, before: Assessment | None, after: Assessment) -> Moved:
    value_before, points_before, part_before = _of(name, before)
    value_after, points_after, part_after = _of(name, after)
    return Moved(
        name=name,
        value_before=value_before,
        value_after=value_after,
        points_before=points_before,
        points_after=points_after,
        part_before=part_before,
        part_after=part_after,
        moved=rounded((part_after or 0.0) - (part_before or 0.0)),
    )


def _of(name: str, found: Assessment | None) -> tuple[float | None, float | None, float | None]:
    """Value, points and part of a measure."""
    if found is None:
        return None, None, None
    points, part = found.points.get(name), found.parts.get(name)
    return (
        found.values.get(name),
        None if points is None else rounded(points),
        None if part is None else rounded(part),
    )
