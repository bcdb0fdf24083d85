"""What subscribers are sent: the JSON of each kind of event, with what happened in words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from csm_common.contracts.health import AccountSnapshot, Crossing
from notifier.application.feed_ports import EventType, Known, Wants

_MOST_PARTS = 10
_IN_WORDS = 3
_WORDS = {"facts": "by what was heard", "timer": "by time alone", "model": "by a change of the model"}
_WORDS["source"] = "by a source that fell silent or came back"


def body(id_: str, type_: str, at: datetime, account_id: str, data: Mapping[str, Any]) -> str:
    """The whole message."""
    message = {
        "type": type_,
        "id": id_,
        "timestamp": at.astimezone(UTC),
        "account_id": account_id,
        "data": data,
    }
    return msgspec.json.encode(message).decode()


def change_data(
    type_: EventType, snapshot: AccountSnapshot, known: Known | None, told: float | None, wants: Wants
) -> dict[str, Any]:
    """`data` of a change of score or band. `told` is the score that the subscriber knows."""
    before = known.score if known else None
    parts = _moved(known.measures if known else b"{}", snapshot.measures)
    score_before = told if type_ == "health.score_changed" else before
    band_before = known.band if known else None
    sentence = _changed(type_, score_before, snapshot.score, band_before, snapshot.band)
    return {
        "score": {"before": _rounded(score_before), "after": _rounded(snapshot.score)},
        "band": {"before": band_before, "after": snapshot.band},
        "reason": f"{sentence}{_by(parts)}.",
        "parts": parts,
        "parts_in": "points of the measure",
        **_standing(snapshot, wants),
    }


def crossing_data(crossing: Crossing, wants: Wants) -> dict[str, Any]:
    """`data` of a threshold that was entered or left. Only crossings of the score itself tell the score before."""
    snapshot = crossing.snapshot
    before = crossing.before if crossing.target == "score" else None
    parts = [
        {"measure": each.measure, "before": _rounded(each.before), "after": _rounded(each.after)}
        for each in crossing.parts[:_MOST_PARTS]
    ]
    return {
        "score": {"before": _rounded(before), "after": _rounded(snapshot.score)},
        "band": {"before": crossing.band_before, "after": crossing.band_after},
        "threshold": {
            "name": crossing.threshold,
            "direction": crossing.direction,
            "target": crossing.target,
            "level": crossing.level,
            "before": _rounded(crossing.before),
            "after": _rounded(crossing.after),
        },
        "cause": crossing.cause.kind,
        "reason": f"{_crossed(crossing)}{_by(parts)}.",
        "parts": parts,
        "parts_in": "points of the score",
        **_standing(snapshot, wants),
    }


def _standing(snapshot: AccountSnapshot, wants: Wants) -> dict[str, Any]:
    return {
        "coverage": round(snapshot.coverage, 4),
        "dimensions": {name: _rounded(points) for name, points in snapshot.dimensions.items()},
        "scorecard": {"name": snapshot.scorecard.name, "version": snapshot.scorecard.version},
        "attributes": {name: snapshot.attributes.get(name) for name in wants.attributes},
        "backfilling": snapshot.backfilling,
        "revision": snapshot.revision,
    }


def _moved(before: bytes, after: Mapping[str, float | None]) -> list[dict[str, Any]]:
    """Measures whose points moved, those that moved most first."""
    known: dict[str, float | None] = msgspec.json.decode(before)
    moved = [
        (abs((after.get(name) or 0.0) - (known.get(name) or 0.0)), name)
        for name in known.keys() | after.keys()
        if _rounded(known.get(name)) != _rounded(after.get(name))
    ]
    return [
        {"measure": name, "before": _rounded(known.get(name)), "after": _rounded(after.get(name))}
        for _, name in sorted(moved, key=lambda each: (-each[0], each[1]))[:_MOST_PARTS]
    ]


def _changed(
    type_: EventType, before: float | None, after: float | None, band_before: str | None, band: str | None
) -> str:
    if type_ == "health.band_changed":
        score = "" if after is None else f" at a score of {_figure(after)}"
        return f"The band changed from {band_before or 'none'} to {band or 'none'}{score}"
    if before is None or after is None:
        return (
            f"The account has a score now: {_figure(after)}"
            if after is not None
            else "The account has no score any more"
        )
    verb = "fell" if after < before else "rose"
    return f"The score {verb} by {_figure(abs(after - before))} points, from {_figure(before)} to {_figure(after)}"


def _crossed(crossing: Crossing) -> str:
    values = f"{_figure(crossing.before)} → {_figure(crossing.after)}, its level is {_figure(crossing.level)}"
    word = _WORDS[crossing.cause.kind]
    return f"The account {crossing.direction} {crossing.threshold} {word}: {crossing.target} {values}"


def _by(parts: Sequence[Mapping[str, Any]]) -> str:
    told = [
        f"{each['measure']} {_figure(each['before'])} → {_figure(each['after'])}"
        for each in parts[:_IN_WORDS]
    ]
    return f"; what moved most: {', '.join(told)}" if told else ""


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _figure(value: float | None) -> str:
    return "none" if value is None else f"{value:.1f}".removesuffix(".0")
