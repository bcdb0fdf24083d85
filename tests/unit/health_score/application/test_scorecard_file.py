"""A scorecard as a person writes it, and the sentences that help with mistakes."""

import pytest

from csm_common.errors import InvalidError
from health_score.application.scorecard_file import default_scorecard, load_scorecard
from health_score.domain.curve import Curve
from health_score.domain.scorecard import Band, Dimension, Measure, Scorecard, Threshold
from health_score.domain.signals import SIGNALS, Count, Latest, Mean, Open, Recency, Selector, Sum, Until

EVERY_KIND = """
name: sample
version: 3
bands: {low: 0, high: 50}
dimensions:
  one:
    weight: 2
    measures:
      uses:
        weight: 1
        curve: {0: 0, 10: 100}
        signal: {kind: count, type: [a, b], where: {c: x, d: [null, 5]}, half_life_days: 14}
      minutes: {weight: 1, curve: {0: 0}, signal: {kind: sum, type: a, value: f, default: 1, half_life_days: 0.5}}
      csat: {weight: 1, curve: {0: 0}, signal: {kind: mean, type: a, value: f, half_life_days: 60, min_weight: 0.2}}
      silence: {weight: 1, curve: {0: 0}, signal: {kind: recency, type: a}}
      standing:
        weight: 1
        curve: {0: 0}
        signal: {kind: latest, type: a, value: f, table: {paid: 100, true: 1}, expires_days: 90}
      trouble:
        weight: 0.5
        curve: {0: 100, 5: 0}
        signal:
          kind: open
          type: a
          item: id
          open_when: {status: [open, pending], escalated: true}
          weights: {priority: {high: 2}}
          expires_days: 90
          closed_days: 10
          open_days: 100
      renewal: {weight: 0, signal: {kind: until, type: a, value: date}}
thresholds:
  soon:
    {target: "measure:renewal", direction: below, enter: 90, exit: 91, dwell_days: 2, cooldown_days: 1, min_coverage: 0.1}
"""

FLAT = Curve(((0, 0),))


def test_everything_that_can_be_written_is_read() -> None:
    read_f = Selector(("a",), value="f")
    measures = (
        Measure(
            "uses",
            1,
            Count(Selector(("a", "b"), {"c": ("x",), "d": (None, 5)}), 14),
            Curve(((0, 0), (10, 100))),
        ),
        Measure("minutes", 1, Sum(Selector(("a",), value="f", default=1), 0.5), FLAT),
        Measure("csat", 1, Mean(read_f, 60, 0.2), FLAT),
        Measure("silence", 1, Recency(Selector(("a",))), FLAT),
        Measure("standing", 1, Latest(Selector(("a",), value="f", table={"paid": 100, True: 1}), 90), FLAT),
        Measure(
            "trouble",
            0.5,
            Open(
                Selector(("a",)),
                "id",
                {"status": ("open", "pending"), "escalated": (True,)},
                {"priority": {"high": 2}},
                expires_days=90,
                closed_days=10,
                open_days=100,
            ),
            Curve(((0, 100), (5, 0))),
        ),
        Measure("renewal", 0, Until(Selector(("a",), value="date")), None),
    )
    assert {type(each.signal) for each in measures} == set(SIGNALS.values())
    assert load_scorecard(EVERY_KIND) == Scorecard(
        "sample",
        3,
        (Dimension("one", 2, measures),),
        (Band("low", 0), Band("high", 50)),
        (
            Threshold(
                "soon",
                "measure:renewal",
                90,
                91,
                "below",
                dwell_s=172_800,
                min_coverage=0.1,
                cooldown_s=86_400,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("written", "instead", "sentence"),
    [
        (
            "half_life_days: 14",
            "half_life: 14",
            r"dimensions\.one\.measures\.uses\.signal\.count\.half_life_days: Field required",
        ),
        ("half_life_days: 14", "half_life: 14", r"uses\.signal\.count\.half_life: Extra inputs"),
        ("half_life_days: 14", "half_life_days: 0", r"uses\.signal\.count: half_life_days must be"),
        (
            "half_life_days: 14",
            "half_life_days: often",
            r"uses\.signal\.count\.half_life_days: Input should be a valid number",
        ),
        (
            "half_life_days: 14",
            "half_life_days: .inf",
            r"uses\.signal\.count\.half_life_days: Input should be a finite",
        ),
        (
            "kind: count",
            "kind: counts",
            r"uses\.signal: Input tag 'counts' found using 'kind' does not match any of",
        ),
        ("value: date", "field: date", r"renewal\.signal\.until\.value: Field required"),
        ("curve: {0: 0, 10: 100}", "curve: {10: 0, 0: 100}", r"measures\.uses: a curve's values must rise"),
        ("weight: 2", "weight: 0", r"dimensions\.one: dimension one: weight must be above 0"),
        ("low: 0", "low: 1", r"scorecard: bands: the lowest band must begin at 0"),
        ("exit: 91", "exit: 89", r"thresholds\.soon: .*exit must be at enter or above"),
        ("measure:renewal", "renewal", r"thresholds\.soon: target 'renewal' is none of"),
        ("measure:renewal", "measure:renewl", r"scorecard: threshold soon: there is no measure 'renewl'"),
        ("weight: 2", "weight: 2\n    name: two", r"dimensions: one: its name is its key"),
        (
            "    measures:\n",
            "    measures: none\n    metrics:\n",
            r"dimensions\.one\.measures: Input should be a valid dictionary",
        ),
        ("version: 3", "version: 3\nversion: 4", r"not readable as YAML: version is given more than once"),
        ("name: sample", "name: [", r"not readable as YAML"),
        ("name: sample", "", r"name: Field required"),
    ],
)
def test_a_mistake_is_told_with_its_place(written: str, instead: str, sentence: str) -> None:
    assert written in EVERY_KIND
    with pytest.raises(InvalidError, match=sentence):
        load_scorecard(EVERY_KIND.replace(written, instead))


@pytest.mark.parametrize(
    "text", ["", "just a word", "- a\n- b", "? [a]\n: b", "!!python/object:os.system {}"]
)
def test_what_is_no_scorecard_at_all_is_refused(text: str) -> None:
    with pytest.raises(InvalidError, match="scorecard"):
        load_scorecard(text)


def test_the_shipped_scorecard_loads() -> None:
    card = default_scorecard()
    assert (card.name, card.version) == ("default", 1)
    assert [each.name for each in card.thresholds] == [
        "at_risk",
        "critical",
        "renewal_due",
        "payment_overdue",
    ]
