"""Branch and bound over whole seconds: when does a course first leave a corridor?"""

from health_score.domain.courses import Course, Readings

Corridor = tuple[float, float]
"""low ≤ number < high."""
Point = tuple[int, Readings]
"""A whole second and the moving values at it."""


def first_exit(course: Course, corridor: Corridor, first: int, beyond: int) -> int:
    """The first second in first ≤ t < beyond at which the course is outside the corridor; `beyond` if there is none."""
    if first >= beyond:
        return beyond
    start, end = (first, course.read(first)), (beyond - 1, course.read(beyond - 1))
    if _outside(course, corridor, start):
        return first
    found = _search(course, corridor, start, end)
    return beyond if found is None else found


def _search(course: Course, corridor: Corridor, left: Point, right: Point) -> int | None:
    """The first second in (left, right] outside the corridor; `left` is inside."""
    low, high = course.bounds(left[1], right[1])
    if low >= corridor[0] and high < corridor[1]:
        return None
    if right[0] - left[0] <= 1:
        return right[0] if _outside(course, corridor, right) else None
    second = (left[0] + right[0]) // 2
    middle = (second, course.read(second))
    found = _search(course, corridor, left, middle)
    if found is None and not _outside(course, corridor, middle):
        found = _search(course, corridor, middle, right)
    return found


def _outside(course: Course, corridor: Corridor, point: Point) -> bool:
    return not corridor[0] <= course.value(point[1]) < corridor[1]
