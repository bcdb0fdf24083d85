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


def parts_of(before: Assessment | None, after: Assessment) -> list[tuple[str, float | None, float | None]]:
    """By measure its part before and after (None: it has none), those that `before` alone has last."""
    known = {} if before is None else before.parts
    return [
        *[(name, known.get(name), part) for name, part in after.parts.items()],
        *[(name, part, None) for name, part in known.items() if name not in after.parts],
    ]


def moved(before: Assessment | None, after: Assessment) -> tuple[Moved, ...]:
    """The measures whose parts differ; those of one assessment alone count in full. Their sum is the difference of `computed`."""
    found = [
        _moved(name, before, after, _rounded(was), _rounded(part))
        for name, was, part in parts_of(before, after)
    ]
    return tuple(sorted([each for each in found if _differs(each)], key=lambda each: -abs(each.moved)))


def _differs(each: Moved) -> bool:
    return abs(each.moved) >= LEAST or (each.part_before is None) != (each.part_after is None)


def _moved(
    name: str,
    before: Assessment | None,
    after: Assessment,
    part_before: float | None,
    part_after: float | None,
) -> Moved:
    return Moved(
        name=name,
        value_before=None if before is None else before.values.get(name),
        value_after=after.values.get(name),
        points_before=None if before is None else _rounded(before.points.get(name)),
        points_after=_rounded(after.points.get(name)),
        part_before=part_before,
        part_after=part_after,
        moved=rounded((part_after or 0.0) - (part_before or 0.0)),
    )


def _rounded(points: float | None) -> float | None:
    return None if points is None else rounded(points)
