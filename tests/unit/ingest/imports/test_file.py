"""From the bytes of a file to its events: complete, typed, the same in every run, and each line accounted for."""

import gzip
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ingest.imports.test_lines import cut

from csm_common.errors import InvalidError
from ingest.application.imports.file import Bad, ImportFile, Ready
from ingest.application.imports.job import ImportOrder
from ingest.application.reading import MAX_EVENT_BYTES

TIME = "2026-03-02T08:59:00Z"
HEADER = "id,source,type,subject,time,data.feature,data.quantity\n"


def order(**asked: Any) -> ImportOrder:
    """What the sender asked for."""
    return ImportOrder(id="march", **asked)


def read(content: bytes | str, *, places: list[int] | None = None, **asked: Any) -> list[Ready | Bad]:
    """What comes out of the content, cut at these places."""
    raw = content.encode() if isinstance(content, str) else content
    file = ImportFile(order(**asked), max_bytes=10**8)
    out = [each for piece in cut(raw, places or []) for each in file.feed(piece)]
    return out + list(file.finish())


def events(content: bytes | str, **asked: Any) -> list[dict[str, Any]]:
    """The events, as they are sent on; nothing may be wrong with any."""
    out = read(content, **asked)
    assert all(isinstance(each, Ready) for each in out), out
    return [json.loads(each.body) for each in out if isinstance(each, Ready)]


def problems(content: bytes | str, **asked: Any) -> list[tuple[int, str]]:
    """Line and code of what is wrong."""
    out = read(content, **asked)
    return [(each.record.line, each.rejected.code) for each in out if isinstance(each, Bad)]


def an_event(**attributes: Any) -> dict[str, Any]:
    """A whole one, but for those given as ...."""
    whole: dict[str, Any] = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "crm",
        "type": "acme.seen",
        "subject": "acme",
    }
    whole |= {"time": TIME, "data": {"n": 1}} | attributes
    return {name: value for name, value in whole.items() if value is not ...}


def test_a_whole_event_passes_as_the_bytes_it_was() -> None:
    line = json.dumps(an_event(), indent=None, separators=(" ,", " : ")).encode()

    (ready,) = read(b"\n  \n" + line + b"\r\n\n")

    assert isinstance(ready, Ready)
    assert (ready.line, ready.body) == (3, line)


def test_what_a_line_lacks_is_filled_in() -> None:
    told = an_event(specversion=..., source=None, type=...)

    (event,) = events(json.dumps(told), source="crm", type="acme.seen", backfill=True)

    assert event == an_event(backfill=True)


def test_an_id_is_derived_from_what_the_line_tells_and_how_often_it_did() -> None:
    line, other = json.dumps(an_event(id=...)) + "\n", json.dumps(an_event(id=..., subject="zenith")) + "\n"

    ids = [each["id"] for each in events(line + other + line + line)]

    assert len(set(ids)) == 4
    assert [each["id"] for each in events(line + other + line + line)] == ids
    assert [each["id"] for each in events(other + line)] == [ids[1], ids[0]]


def test_ids_depend_on_the_source_that_the_order_gives() -> None:
    line = json.dumps(an_event(id=..., source=...))

    assert events(line, source="crm")[0]["id"] != events(line, source="billing")[0]["id"]


def test_a_line_must_tell_when_it_happened() -> None:
    assert problems(json.dumps(an_event(time=...))) == [(1, "invalid_time")]
    assert problems(HEADER + "1,crm,acme.seen,acme,,x,\n") == [(2, "invalid_time")]


def test_broken_lines_do_not_keep_the_rest_out() -> None:
    good = json.dumps(an_event())
    lines = [good, "{", '{"a":1,"a":2}', "[1]", good.replace("e-1", "x" * MAX_EVENT_BYTES), good]

    out = read("\n".join(lines))

    assert [each.line for each in out if isinstance(each, Ready)] == [1, 6]
    assert problems("\n".join(lines)) == [
        (2, "invalid_json"),
        (3, "duplicate_name"),
        (4, "invalid_event"),
        (5, "event_too_large"),
    ]


def test_a_row_is_typed_as_its_contract_says() -> None:
    header = "id,source,type,subject,time,backfill,data.feature,data.quantity,data.succeeded,data.cost,data.at.place\n"
    row = f"1,crm,csm.usage.recorded,acme,{TIME},true,007,3,yes,12.50,Bonn\n"

    (event,) = events(header + row)

    assert event["backfill"] is True
    assert event["data"] == {
        "feature": "007", "quantity": 3.0, "succeeded": True, "cost": "12.50", "at": {"place": "Bonn"}
    }  # fmt: skip


def test_objects_and_arrays_of_a_contract_are_told_as_json() -> None:
    header = "subject,time,type,data.name,data.attributes,data.participants,data.touchpoint\n"
    account = f'acme,{TIME},csm.account.changed,Acme,"{{""industry"":""retail""}}",,\n'
    meeting = f'acme,{TIME},csm.touchpoint.occurred,,,"[""kim""]",qbr\n'
    wrong = f"acme,{TIME},csm.touchpoint.occurred,,,kim,qbr\n"

    first, second = events(header + account + meeting, source="crm")

    assert first["data"] == {"name": "Acme", "attributes": {"industry": "retail"}}
    assert second["data"] == {"participants": ["kim"], "touchpoint": "qbr"}
    assert problems(header + wrong, source="crm") == [(2, "not_json")]


def test_empty_cells_tell_nothing_and_quoted_ones_may_hold_anything() -> None:
    row = f'1,crm,acme.seen,acme,{TIME},"a ""b"",\nc",\n'

    (ready,) = read(HEADER + row + "\n")

    assert isinstance(ready, Ready)
    assert (ready.line, ready.event["data"]) == (2, {"feature": 'a "b",\nc'})


def test_wrong_rows_are_rejected_one_by_one() -> None:
    start = f"1,crm,csm.usage.recorded,acme,{TIME}"
    rows = [
        f"{start},x,3",
        f"{start},x,many",
        f"{start},x",
        f'{start},"x"y,3',
        f"{start},x,3",
    ]
    content = (HEADER + "\n".join(rows)).encode() + b"\n1,crm,a,b,c,\xff,\n"

    assert problems(content) == [
        (3, "not_a_number"),
        (4, "wrong_number_of_fields"),
        (5, "not_csv"),
        (7, "not_utf8"),
    ]
    assert [each.line for each in read(content) if isinstance(each, Ready)] == [2, 6]


@pytest.mark.parametrize("rows", [10, 2_000])
def test_a_quote_that_is_not_closed_costs_one_row(rows: int) -> None:
    good = f"1,crm,acme.seen,acme,{TIME},x,\n"
    content = HEADER + f'1,crm,acme.seen,acme,{TIME},"x,\n' + good * rows

    assert problems(content) == [(2, "not_csv")]
    assert len(read(content)) == rows + 1


def test_many_lines_in_an_open_quote_are_not_looked_at_again_and_again() -> None:
    content = HEADER + '"x\n' + "\n" * 5_000 + '""\n' * 5_000

    assert problems(content)[0] == (2, "not_csv")


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("subject,time,type,source,feature", "write data.feature"),
        ("subject,time,source", "'type'"),
        ("time,type,source", "'subject'"),
        ("subject,subject,time,type,source", "twice"),
        ("subject,time,type,source,data.", "not complete"),
        ("subject,time,type,source,data.a,data.a.b", "beside"),
        ("subject,time,type,source,", "no attribute"),
        ('subject,time,type,"source', "not closed"),
        ("hello world", "no attribute"),
        ("subject," + "x" * MAX_EVENT_BYTES, "too long"),
    ],
)
def test_a_header_that_means_nothing_is_refused_at_once(header: str, said: str) -> None:
    with pytest.raises(InvalidError, match=said) as refused:
        read(header + "\n" + f"acme,{TIME}\n")
    assert refused.value.code == "invalid_header"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_import"),
        (b" \n\r\n", "empty_import"),
        (b"[{}]", "not_lines"),
        (b"\xff\n", "invalid_header"),
    ],
)
def test_what_is_no_file_of_events_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(InvalidError) as refused:
        read(content)
    assert refused.value.code == code


def test_the_order_tells_the_format_where_the_first_byte_would_mislead() -> None:
    assert problems("[1]\n", format="ndjson") == [(1, "invalid_event")]
    with pytest.raises(InvalidError, match="first line"):
        read(json.dumps(an_event()), format="csv")


CSV_ROWS = st.lists(
    st.sampled_from(
        [f"1,crm,acme.seen,acme,{TIME},x,\n", f'2,crm,acme.seen,acme,{TIME},"x\ny",\r\n', '"\n', "\n", "a,b\n", '""\n', "é"]
    )
)  # fmt: skip


@settings(deadline=None)
@given(CSV_ROWS, st.lists(st.integers(0, 400)), st.booleans())
def test_however_a_file_is_cut_the_same_comes_out(rows: list[str], places: list[int], packed: bool) -> None:
    content = (HEADER + "".join(rows)).encode()

    whole = read(content)

    assert read(gzip.compress(content) if packed else content, places=places) == whole


@settings(deadline=None)
@given(st.binary())
def test_no_bytes_make_it_stumble(content: bytes) -> None:
    for start in (b"{", HEADER.encode()):
        accounted = read(start + content)
        assert all(isinstance(each, Ready | Bad) for each in accounted)
