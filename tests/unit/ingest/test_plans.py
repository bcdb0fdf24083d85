"""Tracking plans: which plan holds for a source, and what an event breaks of it."""

from typing import Any

import pytest

from ingest.application.plans import Checked, Plan, Plans

EXPORT = {
    "required": ["format"],
    "properties": {"format": {"enum": ["pdf", "csv"]}, "rows": {"type": "integer", "minimum": 0}},
}


def plan(source: str = "sdk/*", **told: Any) -> Plan:
    """A plan of one event."""
    return Plan.model_validate({"source": source, "events": {"Export": EXPORT}} | told)


def checked(
    plans: Plans, properties: dict[str, Any], source: str = "sdk/web", name: str = "Export"
) -> Checked:
    """What an event breaks."""
    found = plans.check(source, name, properties)
    assert found is not None
    return found


def test_an_event_as_it_is_planned_breaks_nothing() -> None:
    assert Plans([plan()]).check("sdk/web", "Export", {"format": "pdf", "rows": 3, "more": None}) is None


def test_every_rule_that_is_broken_is_told_with_its_place() -> None:
    breaches = checked(Plans([plan()]), {"format": "doc", "rows": -1}).breaches

    assert {(each.path, each.rule) for each in breaches} == {("format", "enum"), ("rows", "minimum")}
    assert all(each.sentence.startswith(f"{each.path}: ") for each in breaches)


def test_what_is_missing_is_told_at_the_object_it_is_missing_from() -> None:
    (breach,) = checked(Plans([plan()]), {}).breaches

    assert (breach.path, breach.rule) == ("", "required")
    assert "format" in breach.sentence


def test_the_first_plan_that_fits_holds() -> None:
    plans = Plans([plan("sdk/web", mode="reject"), plan("*", mode="park")])

    assert checked(plans, {}, "sdk/web").mode == "reject"
    assert checked(plans, {}, "sdk/mobile").mode == "park"
    assert Plans([plan("sdk/*")]).check("webhook/crm", "Export", {}) is None
    assert Plans().check("sdk/web", "Export", {}) is None


@pytest.mark.parametrize(("unplanned", "broken"), [("allow", False), ("refuse", True)])
def test_events_without_a_plan(unplanned: str, broken: bool) -> None:
    found = Plans([plan(unplanned=unplanned)]).check("sdk/web", "Import", {})

    assert (found is not None) is broken


@pytest.mark.parametrize(("mode", "parked"), [("log", None), ("park", True), ("reject", False)])
def test_the_mode_decides_what_becomes_of_it(mode: str, parked: bool | None) -> None:
    refusal = checked(Plans([plan(mode=mode)]), {}).refusal("Export")

    assert (refusal.parked if refusal else None) is parked


def test_a_refusal_stays_readable_however_much_is_wrong() -> None:
    schema = {"additionalProperties": {"type": "integer"}}
    plans = Plans([plan(mode="park", events={"Export": schema})])

    refusal = checked(plans, {f"p{number}": "x" for number in range(100)}).refusal("Export")

    assert refusal is not None
    assert refusal.message.count(";") == 4


@pytest.mark.parametrize("value", ["kim@acme.example", {"kim": 1}, ["kim"], 10**40, -1.5, None])
def test_no_sentence_holds_a_value(value: object) -> None:
    for breach in checked(Plans([plan()]), {"format": value}).breaches:
        assert "kim" not in breach.sentence
        assert str(value) not in breach.sentence.removeprefix("format: ") or value is None
