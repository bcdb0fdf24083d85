"""Branch and bound over whole seconds: when does a course first leave a corridor?"""

from health_score.domain.courses import Course, Point

Corridor = tuple[float, float]
"""low ≤ number < high."""

MARGIN = 1 / 256
"""How far beside the estimated exit to look, as a share of the span: far enough to catch it between two looks."""


def first_exit(course: Course, corridor: Corridor, first: int, beyond: int) -> int:
    """The first second in first ≤ t < beyond at which the course is outside the corridor; `beyond` if there is none.

    A span that ends inside and whose bounds stay inside is done with; any other is split, near where the exit should be.
    The spans follow each other from `left`, which is always inside.
    """
    if first >= beyond:
        return beyond
    low, high = corridor
    left = course.point(first)
    if not low <= left.number < high:
        return first
    ends, halve = [course.point(beyond - 1)], False  # of the spans to look at, the nearest last
    while ends:
        right = ends[-1]
        span = right.at - left.at
        inside = low <= right.number < high
        if inside and (span <= 1 or _stays(course, corridor, left, right)):
            left = ends.pop()
            continue
        if span <= 1:
            return right.at
        at = (left.at + right.at) // 2 if inside or halve else _estimate(corridor, left, right)
        middle = course.point(at)
        if low <= middle.number < high:
            ends.append(middle)
            gained = middle.at - left.at
        else:
            ends = [middle]
            gained = right.at - middle.at
        halve = 2 * gained < span
    return beyond


def _stays(course: Course, corridor: Corridor, left: Point, right: Point) -> bool:
    low, high = corridor
    lowest, highest = course.bounds(left, right)
    if lowest >= low and highest < high:
        return True
    lowest, highest = course.close_bounds(left, right)
    return lowest >= low and highest < high


def _estimate(corridor: Corridor, left: Point, right: Point) -> int:
    """Near where a straight line from `left` to `right` leaves the corridor, on the side of the end that is further off."""
    span = right.at - left.at
    level = corridor[0] if right.number < corridor[0] else corridor[1]
    share = (left.number - level) / (left.number - right.number)
    at = left.at + round(span * (share + (MARGIN if share < 0.5 else -MARGIN)))
    return min(max(at, left.at + 1), right.at - 1)
