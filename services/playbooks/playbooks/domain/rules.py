"""How a definition refuses what it cannot mean: one sentence, and the place of the member at fault."""

import re

from playbooks.domain.durations import duration

Place = str | int

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)

STRICT = {"extra": "forbid"}
"""A dataclass with this as `__pydantic_config__` has unknown members refused by whoever parses it; naming it needs no import."""


class DefinitionError(ValueError):
    """A rule that is broken; `place` leads to the member at fault, from the object that raises."""

    def __init__(self, sentence: str, *place: Place) -> None:
        super().__init__(sentence)
        self.place = place


def require(condition: bool, sentence: str, *place: Place) -> None:
    """DefinitionError unless the condition holds."""
    if not condition:
        raise DefinitionError(sentence, *place)


def require_name(text: str, *place: Place) -> None:
    """DefinitionError unless it is a name that other services and columns can carry."""
    require(
        _NAME.fullmatch(text) is not None,
        f"{text!r} is not a name: at most 63 lower-case letters, digits and _, a letter first",
        *place,
    )


def require_text(text: str, *place: Place) -> None:
    """DefinitionError where there is nothing to read."""
    require(bool(text.strip()), "must not be empty", *place)


def require_duration(text: str, *place: Place) -> None:
    """DefinitionError unless it is a duration."""
    try:
        duration(text)
    except ValueError as refused:
        raise DefinitionError(str(refused), *place) from None


def require_condition(text: str, *place: Place) -> None:
    """DefinitionError where there is no expression; whoever can evaluate it tells whether it is a good one."""
    require(bool(text.strip()), "must not be empty: write a condition such as score < 50", *place)
