"""A scorecard as a person writes it, and the sentences that help with mistakes."""

import json
from typing import Any

import pytest

from csm_common.errors import InvalidError
from health_score.adapters.conditions import compile_condition
from health_score.application.scorecard_file import ScorecardError, load_scorecard, plain_data
from health_score.application.scorecard_places import Mistake
from health_score.domain.curve import Curve
from health_score.domain.scorecard import Band, Dimension, Knockout, Measure, Scorecard, Threshold
from health_score.domain.signals import (
    SIGNALS,
    ActiveUsers,
    Attainment,
    Between,
    Count,
    Latest,
    Mean,
    Open,
    Other,
    Ratio,
    Recency,
    Selector,
    Sum,
    Trend,
    Until,
)

EVERY_KIND = """
name: sample
version: 3
title: A sample
applies_to: account.segment == "smb"
priority: 7
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
      renewal: {weight: 0, unit: days, title: Days left, signal: {kind: until, type: a, value: date}}
      habit: {weight: 0, signal: {kind: trend, type: a, value: f, default: 1, fast_days: 3, slow_days: 9, mature_days: 1}}
      people: {weight: 0, signal: {kind: active_users, type: a, item: who, half_life_days: 30, exact_up_to: 64}}
      goals: {weight: 0, signal: {kind: attainment, type: a, item: g, unconfirmed: 0.5, expires_days: 200}}
      seats:
        weight: 0
        signal:
          kind: ratio
          of: {kind: active_users, type: a, half_life_days: 30, where: {big: {min: 5}, odd: {not: [x, null]}}}
          to: {kind: latest, type: b, value: seats, where: {size: {min: 1, max: 2.5}, low: {max: 10}, plan: {not: free}}}
thresholds:
  soon:
    {target: "measure:renewal", direction: below, enter: 90, exit: 91, dwell_days: 2, cooldown_days: 1, min_coverage: 0.1}
knockouts:
  gone: {target: "measure:people", direction: below, level: 1, band: low, reason: Nobody is left}
"""

FLAT = Curve(((0, 0),))
SEATS = Ratio(
    ActiveUsers(Selector(("a",), {"big": Between(least=5), "odd": Other(("x", None))}), 30),
    Latest(
        Selector(
            ("b",),
            {"size": Between(1, 2.5), "low": Between(most=10), "plan": Other(("free",))},
            value="seats",
        )
    ),
)


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
        Measure("renewal", 0, Until(Selector(("a",), value="date")), None, "Days left", "days"),
        Measure("habit", 0, Trend(Selector(("a",), value="f", default=1), 3, 9, 1), None),
        Measure("people", 0, ActiveUsers(Selector(("a",)), 30, "who", 64), None),
        Measure("goals", 0, Attainment(Selector(("a",)), "g", 0.5, 200), None),
        Measure("seats", 0, SEATS, None),
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
        (Knockout("gone", "measure:people", 1, "below", "low", "Nobody is left"),),
        applies_to='account.segment == "smb"',
        priority=7,
        title="A sample",
    )


CASES = """
half_life_days: 14 | hlaf_life_days: 14 | signal/hlaf_life_days: there is no key 'hlaf_life_days'; did you mean half_life_days?
half_life_days: 14 | hlaf_life_days: 14 | uses/signal/half_life_days: half_life_days is missing
half_life_days: 14 | half_life_days: 0 | uses/signal/half_life_days: half_life_days must be a number of days above 0.0001
half_life_days: 14 | half_life_days: often | signal/half_life_days: half_life_days must be a valid number, not 'often'
half_life_days: 14 | half_life_days: .inf | signal/half_life_days: half_life_days must be a finite number, not inf
kind: count | kind: cuont | uses/signal/kind: there is no kind of signal 'cuont'; did you mean count?
kind: count, || uses/signal/kind: kind is missing: it says which signal this is, such as recency
c: x | c: {mni: 3} | signal/where/c: there is no condition {'mni'}; write {min: 5}, {max: 10} or {not: [a, b]}
c: x | c: {min: a} | uses/signal/where/c/min: min and max must be numbers
size: {min: 1, max: 2.5} | size: {min: 3, max: 2.5} | seats/signal/to/where/size/min: min must be at most max
[open, pending] | [] | open_when/status: the list is empty, so nothing would match: name a value, or leave the field out
[open, pending] | [null] | trouble/signal/open_when/status: None is not a text, a number, true or false
{0: 0, 10: 100} | {10: 0, 0: 100} | uses/curve: a curve's values must rise from knot to knot, by 1e-06 at least
weight: 0.5 | weight: -1 | trouble/weight: weight must be 0 or more
slow_days: 9 | slow_days: 4 | slow_days: slow_days must be at least twice fast_days, or there is nothing to compare
item: who, half_life_days: 30 | item: who | people/signal/half_life_days: half_life_days is missing
kind: latest, type: b, value | kind: recency, type: b, vlaue | to/vlaue: there is no key 'vlaue'; there are kind, type, where
low: 0 | no: 0 | /bands/no: this key is read as False and must be a text: put it in quotes
{0: 0, 10: 100} | {a: 0, 10: 100} | uses/curve/a: this key is read as 'a' and must be a number
low: 0 | low: 1 | /bands/low: the lowest band must begin at 0
high: 50 | high: 0 | /bands/high: bands are listed lowest first, so high must begin above 0
high: 50 | high: 100 | /bands/high: the highest band must begin below 100
exit: 91 | exit: 89 | /thresholds/soon/exit: exit must be at enter or above it
"measure:renewal" | renewal | target 'renewal' is none of score, coverage, dimension:<name>, measure:<name>
measure:renewal | measure:renewl | /thresholds/soon/target: there is no measure 'renewl'; did you mean renewal?
measure:people | score | /knockouts/gone/target: a knock-out watches dimension:<name> or measure:<name>
band: low | band: high | /knockouts/gone/band: band must be one below the highest, so one of low; not 'high'
weight: 2 | weight: 0 | /dimensions/one/weight: weight must be above 0
weight: 2 | weight: 1.0e+308 | /dimensions/one/weight: weight must be from 1e-12 to 1e+12
weight: 0.5 | weight: 1.0e-15 | trouble/weight: weight must be from 1e-12 to 1e+12
low: 0 | "a\\0b": 0 | band 'a\\x00b': a name is 1 to 100 characters that can be printed
low: 0 | "": 0 | band '': a name is 1 to 100 characters that can be printed
{0: 0, 10: 100} | {0: 0, 0.0: 100} | uses/curve/0.0: 0.0 is given more than once: keep one
account.segment | lower(account.segment) | /applies_to: not a condition: there is no function lower; there are bytes,
priority: 7 | prio: 7 | /prio: there is no key 'prio'; did you mean priority?
uses: | Uses: | /Uses: a name is lower-case letters, digits and _, a letter first
name: sample | name: S | /name: scorecard 'S': a name is lower-case letters, digits and _, a letter first
name: sample || /name: name is missing
name: sample | name: [ | : not readable: while parsing a flow sequence
version: 3 | version: 0 | /version: version must be greater than or equal to 1, not 0
== "smb" | = "smb" | /applies_to: not a condition: token recognition error at: '= ' at character 17 of it
account.segment | acct.segment | there is no variable acct; an account's attributes are account.segment and the like
title: A sample | title: *sample | : not readable: aliases such as *sample are not understood: write it out
"""


def mistakes(text: str, *, json: bool = False) -> tuple[Mistake, ...]:
    with pytest.raises(ScorecardError) as refused:
        load_scorecard(text, compile_condition=compile_condition, json=json)
    return tuple(refused.value.mistakes)


@pytest.mark.parametrize("case", CASES.strip().splitlines())
def test_a_mistake_is_told_with_its_place_and_what_to_do(case: str) -> None:
    written, instead, told = (each.strip() for each in case.split("|"))
    assert EVERY_KIND.count(written) == 1
    found = [f"{each.path}: {each.message}" for each in mistakes(EVERY_KIND.replace(written, instead))]
    assert any(told in each for each in found), found


def test_a_name_no_address_has_room_for_is_refused() -> None:
    (found,) = mistakes(EVERY_KIND.replace("name: sample", f"name: {'s' * 101}"))
    assert (found.path, found.message[-35:]) == ("/name", ": a name has 100 characters at most")


def test_a_name_given_inside_is_refused_where_it_is() -> None:
    (found,) = mistakes(EVERY_KIND.replace("weight: 2", "weight: 2\n    name: two"))
    assert (found.path, found.message) == (
        "/dimensions/one",
        "one: its name is its key, so leave out the name inside",
    )


def test_a_key_that_is_given_twice_is_refused_where_it_is_repeated() -> None:
    (found,) = mistakes(EVERY_KIND.replace("version: 3", "version: 3\nversion: 4"))
    assert (found.path, found.line, found.column) == ("/version", 4, 1)
    assert found.message == "version is given more than once: keep one"


def test_lines_and_columns_lead_to_the_word() -> None:
    text = EVERY_KIND.replace("half_life_days: 14", "half_life_days: often").replace("item: id", "itme: id")
    lines = text.splitlines()
    found = {each.path.rpartition("/")[2]: each for each in mistakes(text)}
    assert lines[found["half_life_days"].line - 1][found["half_life_days"].column - 1 :].startswith("often")
    assert lines[found["itme"].line - 1][found["itme"].column - 1 :].startswith("itme: id")
    assert lines[found["item"].line - 1].strip() == "signal:"  # what is missing is missing there


def test_all_mistakes_are_told_at_once_in_the_order_of_the_text() -> None:
    text = (
        EVERY_KIND.replace("measure:renewal", "measure:gone")
        .replace("half_life_days: 14", "half_life_days: 0")
        .replace("min_weight: 0.2", "min_weight: 2")
        .replace("band: low", "band: none")
    )
    found = mistakes(text)
    assert [each.path.rpartition("/")[2] for each in found] == [
        "half_life_days",
        "min_weight",
        "target",
        "band",
    ]
    assert [each.line for each in found] == sorted(each.line for each in found)


def test_the_sentence_of_the_error_has_them_all() -> None:
    with pytest.raises(InvalidError, match=r"cannot be used: 3:1: name: .*; 3:10: version: ") as refused:
        load_scorecard(EVERY_KIND.replace("name: sample", "").replace("version: 3", "version: x"))
    assert [each["path"] for each in refused.value.extra["errors"]] == ["/name", "/version"]


def as_json(value: Any) -> str:
    return json.dumps(value, indent="\t")


def test_json_says_the_same_as_yaml() -> None:
    assert load_scorecard(as_json(plain_data(EVERY_KIND)), json=True) == load_scorecard(EVERY_KIND)


def test_a_mistake_in_json_has_its_place_too() -> None:
    told = plain_data(EVERY_KIND)
    told["thresholds"]["soon"]["exit"] = "far"
    text = as_json(told)
    (found,) = mistakes(text, json=True)
    assert found.path == "/thresholds/soon/exit"
    assert text.splitlines()[found.line - 1][found.column - 1 :].startswith('"far"')


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just a word",
        "- a\n- b",
        "? [a]\n: b",
        "!!python/object:os.system {}",
        "[" * 3_000,
        "a: 2026-13-45",
    ],
)
def test_what_is_no_scorecard_at_all_is_refused(text: str) -> None:
    assert mistakes(text)


def test_a_version_that_is_left_out_is_given() -> None:
    assert load_scorecard(EVERY_KIND.replace("version: 3", ""), version=9).version == 9
    assert load_scorecard(EVERY_KIND, version=9).version == 3
