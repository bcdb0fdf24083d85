"""What differs between two versions, as a person would say it."""

from copy import deepcopy
from typing import Any

from health_score.application.scorecard_diff import FieldChange, PartChange, ShareChange, difference

BASE: dict[str, Any] = {
    "name": "a",
    "version": 1,
    "priority": 3,
    "bands": {"low": 0, "high": 50},
    "dimensions": {
        "one": {
            "weight": 3,
            "measures": {
                "x": {"weight": 1, "signal": {"kind": "recency", "type": "t"}, "curve": {0: 100, 7: 0}},
                "y": {"weight": 1, "signal": {"kind": "recency", "type": ["t"]}, "curve": {0: 100}},
            },
        },
        "two": {"weight": 1, "measures": {"z": {"weight": 2, "signal": {"kind": "recency", "type": "u"}}}},
    },
    "thresholds": {"t": {"target": "score", "direction": "below", "enter": 50, "exit": 55}},
    "knockouts": {"k": {"target": "measure:x", "direction": "above", "level": 9, "band": "low"}},
}


def changed() -> dict[str, Any]:
    return deepcopy(BASE) | {"version": 2}


def test_the_number_is_no_difference() -> None:
    found = difference(BASE, changed())
    assert (found.changes, found.shares, found.text) == ((), (), "")


def test_another_way_to_write_the_same_is_no_difference() -> None:
    other = changed()
    other["dimensions"]["one"]["measures"]["x"]["signal"]["type"] = ["t"]
    other["dimensions"]["one"]["weight"] = 3.0
    assert difference(BASE, other).text == ""


def test_a_weight_moves_the_shares_of_all() -> None:
    other = changed()
    other["dimensions"]["two"]["weight"] = 3
    found = difference(BASE, other)
    assert found.changes == (PartChange("dimension", "two", "changed", (FieldChange("weight", 1, 3),)),)
    assert found.shares == (ShareChange("x", 37.5, 25), ShareChange("y", 37.5, 25), ShareChange("z", 25, 50))
    assert found.text.splitlines()[-1] == "  z: 25 % → 50 % of the score"


def test_thresholds_knockouts_bands_and_the_head_are_told() -> None:
    other = changed() | {"applies_to": "true", "knockouts": {}, "bands": {"low": 0, "high": 60}}
    other["thresholds"]["t"]["enter"] = 45
    assert difference(BASE, other).text.splitlines() == [
        "~ scorecard a: applies_to (not told) → true",
        "~ band high: from 50 → 60",
        "~ threshold t: enter 50 → 45",
        "- knockout k: target measure:x, direction above, level 9, band low",
    ]


def test_a_measure_that_moves_to_another_dimension_is_the_same_measure() -> None:
    other = changed()
    other["dimensions"]["two"]["measures"]["y"] = other["dimensions"]["one"]["measures"].pop("y")
    assert "~ measure y: dimension one → two" in difference(BASE, other).text


def test_lists_and_tables_are_written_as_in_the_file() -> None:
    other = changed()
    other["dimensions"]["one"]["measures"]["x"]["signal"]["where"] = {"status": ["open", None, True]}
    other["dimensions"]["one"]["measures"]["x"]["curve"] = {0: 100, 7.5: 0}
    text = difference(BASE, other).text
    assert "curve {0: 100, 7: 0} → {0: 100, 7.5: 0}" in text
    assert "signal.where.status (not told) → [open, null, true]" in text
