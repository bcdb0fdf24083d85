"""A row becomes a CloudEvent with a derived id, or tells in a sentence why not."""

from datetime import timedelta

import pytest
from tests.unit.csm_cli.importing.samples import (
    HEADER,
    USAGE,
    decoded,
    frame_of,
    mapping,
    section_mapper,
)

from csm_cli.importing.mapper import Skipped
from csm_common.errors import InvalidError
from csm_common.mapping.rejection import RejectedRowError

COLUMNS = HEADER.split(",")
ROW = ["acme", "2025-03-31T10:00:00", "reports", "u1", "3"]
TICKETS = """
name: sample
sections:
  - name: tickets
    files: t.jsonl
    format: jsonl
    nulls: ["", "n/a"]
    subject: {join: [region, account], separator: "-"}
    time: [closed, opened]
    id: [number]
    skip:
      - {when: {spam: true}, reason: spam}
    facts:
      - type: csm.ticket.changed
        when: {state: {not: rated}}
        data:
          ticket_id: number
          status: {column: state, map: {new: open, done: closed}}
          attributes.inner.deep: {const: 1}
          attributes.other: other
      - type: csm.survey.answered
        when: {score: {not: null}}
        data: {kind: {const: csat}, score: {column: score, min: 1, max: 5}}
"""
TICKET = {"region": "eu", "account": "acme", "opened": "2025-03-31", "number": 7, "state": "new"}


def refusal(text: str, header: list[str] | None, row: object) -> RejectedRowError:
    with pytest.raises(RejectedRowError) as told:
        section_mapper(text, header)(row)
    return told.value


def test_a_row_becomes_a_whole_cloudevent() -> None:
    event = decoded(section_mapper(USAGE, COLUMNS)(ROW))
    assert len(event.pop("id")) == 36
    assert event == {
        "specversion": "1.0",
        "source": "/import/sample",
        "datacontenttype": "application/json",
        "type": "csm.usage.recorded",
        "subject": "acme",
        "time": "2025-03-31T10:00:00Z",
        "data": {"feature": "reports", "user_id": "u1", "quantity": 3.0},
    }


def test_missing_values_are_left_out() -> None:
    event = decoded(section_mapper(USAGE, COLUMNS)(["acme", "2025-03-31", "reports", "", ""]))
    assert event["data"] == {"feature": "reports"}


def test_a_backfill_is_marked() -> None:
    assert decoded(section_mapper(USAGE, COLUMNS, frame=frame_of(backfill=True))(ROW))["backfill"] is True


@pytest.mark.parametrize(
    ("row", "reason", "sentence"),
    [
        (["", *ROW[1:]], "missing_value: account", "account is missing"),
        (["acme", "", *ROW[2:]], "missing_value: at", "at is missing"),
        (["acme", "soon", *ROW[2:]], "not_a_time: at", "at is 'soon', expected a time as ISO 8601"),
        ([*ROW[:2], "", "u1", "3"], "missing_value: feature", "feature is missing"),
        ([*ROW[:4], "many"], "not_a_number: amount", "amount is 'many', expected a number"),
        ([*ROW[:2], "\udcff", "u1", "3"], "not_utf8", "the row holds bytes that are not UTF-8"),
    ],
)
def test_a_row_at_fault_tells_what_is_wrong(row: list[str], reason: str, sentence: str) -> None:
    error = refusal(USAGE, COLUMNS, row)
    assert (error.reason, error.message) == (reason, sentence)


def test_a_file_without_a_column_is_told_before_any_row() -> None:
    with pytest.raises(InvalidError, match=r"Section usage reads a column 'amount', .* it has: account, at"):
        section_mapper(USAGE, COLUMNS[:4])


def test_json_rows_are_mapped_alike() -> None:
    event = decoded(section_mapper(TICKETS, None)(TICKET))
    assert (event["subject"], event["time"]) == ("eu-acme", "2025-03-31T00:00:00Z")
    assert event["data"] == {"ticket_id": "7", "status": "open", "attributes": {"inner": {"deep": 1}}}


def test_the_first_time_that_is_there_counts() -> None:
    event = decoded(section_mapper(TICKETS, None)(TICKET | {"closed": "2025-04-02", "other": "n/a"}))
    assert event["time"] == "2025-04-02T00:00:00Z"
    assert "other" not in event["data"]["attributes"]


def test_the_first_fact_whose_condition_holds_is_made() -> None:
    event = decoded(section_mapper(TICKETS, None)(TICKET | {"state": "rated", "score": 4}))
    assert event["type"] == "csm.survey.answered"
    assert event["data"] == {"kind": "csat", "score": 4.0}


@pytest.mark.parametrize(
    ("change", "reason", "sentence"),
    [
        ({"state": "rated"}, "no_fact", "none of the section's facts applies to this row"),
        ({"state": "odd"}, "unknown_value: state", "state is 'odd', expected one of new, done"),
        ({"state": [1]}, "not_a_text: state", "state is [1], expected a text"),
        ({"account": None}, "missing_value: region, account", "region, account is missing"),
        (
            {"state": "rated", "score": 9},
            "out_of_range: score",
            "score is 9, expected at least 1 and at most 5",
        ),
    ],
)
def test_rules_of_the_mapping_reject_with_a_sentence(
    change: dict[str, object], reason: str, sentence: str
) -> None:
    error = refusal(TICKETS, None, TICKET | change)
    assert (error.reason, error.message) == (reason, sentence)


def test_rows_are_skipped_on_purpose_with_the_mappings_reason() -> None:
    assert section_mapper(TICKETS, None)(TICKET | {"spam": True}) == Skipped("spam")


class TestIds:
    """The same row has the same id in every run; equal rows of one set do not collapse."""

    def ids(self, *rows: list[str], text: str = USAGE, shift: timedelta = timedelta(0)) -> list[str]:
        map_row = section_mapper(text, COLUMNS, frame=frame_of(shift=shift, salt=str(shift)))
        return [decoded(map_row(each))["id"] for each in rows]

    def test_equal_rows_are_told_apart_and_repeat_their_ids_in_the_next_run(self) -> None:
        other = [*ROW[:4], "4"]
        first = self.ids(ROW, other, ROW, ROW)
        assert len(set(first)) == 4
        assert self.ids(ROW, other, ROW, ROW) == first

    def test_an_id_does_not_depend_on_the_rows_around_it(self) -> None:
        assert self.ids([*ROW[:4], "4"], ROW)[1] == self.ids(ROW)[0]

    def test_a_shifted_row_has_another_id_because_it_has_another_time(self) -> None:
        assert self.ids(ROW) != self.ids(ROW, shift=timedelta(days=1))

    def test_a_natural_key_alone_decides(self) -> None:
        keyed = USAGE.replace("time: at", "time: at\n    id: [user, feature]")
        changed = [*ROW[:4], "4"]
        assert self.ids(ROW, text=keyed) == self.ids(changed, text=keyed)
        assert self.ids(ROW, text=keyed) != self.ids([*ROW[:3], "u2", "3"], text=keyed)
        assert self.ids(ROW, text=keyed) != self.ids(ROW, text=keyed, shift=timedelta(days=1))

    def test_rows_without_their_natural_key_are_rejected_and_not_taken_for_one(self) -> None:
        keyed = USAGE.replace("time: at", "time: at\n    id: [user, feature]")
        assert refusal(keyed, COLUMNS, [*ROW[:3], "", "3"]).reason == "missing_value: user"

    def test_sections_do_not_share_ids(self) -> None:
        assert self.ids(ROW) != self.ids(ROW, text=USAGE.replace("name: usage", "name: other"))


def test_the_sample_names_what_it_reads() -> None:
    assert mapping().sections[0].files == ["usage*.csv"]
