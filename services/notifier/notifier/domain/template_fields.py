"""The variables that `briefing.brief` gives a template, so that a misspelt one is told when the template is saved."""

from collections.abc import Mapping
from typing import TypeAlias

Shape: TypeAlias = "Mapping[str, Shape] | None"
"""The members of a variable; None for one that has none. `*` stands for the elements of a list, `ANY` for whatever there is."""

ANY: Mapping[str, "Shape"] = {}

_ACCOUNT = ("name", "plan", "segment", "stage", "owner", "team", "region", "currency", "arr", "renewal_date")
_ITEM = (
    "account",
    "score",
    "band",
    "title",
    "template",
    "internal",
    "subject",
    "notification_id",
    "requested_at",
)
_PART = ("measure", "before", "after", "change")


def _leaves(*names: str) -> dict[str, Shape]:
    return dict.fromkeys(names)


BRIEF: Mapping[str, Shape] = {
    "account": _leaves(*_ACCOUNT),
    **_leaves("account_id", "score", "score_before", "value", "band", "band_before", "coverage", "renewal_in_days"),
    "parts": {"*": _leaves(*_PART)},
    "trend": {"*": _leaves("at", "score")},
    "items": {"*": _leaves(*_ITEM)},
    "playbook": _leaves("name", "title"),
    **_leaves("internal", "notification_id", "requested_at", "unsubscribe_url", "preferences_url"),
}  # fmt: skip
"""The variables of every template."""

LAYOUT: Mapping[str, Shape] = {
    **_leaves("subject", "title", "lead", "colour", "locale"),
    "steps": {"*": None},
    "paragraphs": {"*": None},
    "words": ANY,
}  # fmt: skip
"""What partials have on top: what the template itself says."""


def with_fields(names: Mapping[str, object]) -> dict[str, Shape]:
    """The variables with fields of a template's own (`discount`, or `account.industry`)."""
    known: dict[str, Shape] = dict(BRIEF)
    for name in names:
        head, _, member = name.partition(".")
        if member:
            known[head] = {**(known.get(head) or {}), member: None}
        else:
            known.setdefault(head, ANY)
    return known
