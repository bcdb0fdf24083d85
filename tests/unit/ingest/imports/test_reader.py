"""A parked line is read again as the import would read it today."""

import json
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.ingest.imports.test_file import HEADER, TIME, events, read
from tests.unit.ingest.imports.test_run import Desk

from ingest.application.cloud_event import read_cloud_event
from ingest.application.imports.file import Bad
from ingest.application.imports.parking import FORMAT
from ingest.application.imports.reader import line_reader
from ingest.application.incoming import Incoming, Received
from ingest.domain.decision import Rejected


async def parked(content: str, **asked: Any) -> Received:
    """The only line that is parked of the content."""
    desk = Desk()
    await desk.run(content, **asked)
    (kept,) = desk.parked
    assert kept.format == FORMAT
    return Received(
        format=kept.format, source=kept.source, body=kept.body, at=kept.received_at, context=kept.context
    )


async def test_a_line_that_is_still_wrong_is_rejected_again() -> None:
    again = line_reader(read_cloud_event)(await parked("{\n"))

    assert isinstance(again, Rejected)
    assert again.code == "invalid_json"


async def test_a_row_whose_cells_cannot_be_told_apart_stays_rejected() -> None:
    again = line_reader(read_cloud_event)(await parked(HEADER + "1,2\n"))

    assert isinstance(again, Rejected)
    assert again.code == "not_csv"


@pytest.mark.parametrize("format", ["ndjson", "csv"])
async def test_what_has_become_right_is_the_event_that_the_import_would_have_made(format: str) -> None:
    asked = {"source": "crm", "type": "csm.usage.recorded", "backfill": True}
    wrong = f"subject,time,data.feature,data.quantity\nacme,{TIME},x,many\n" if format == "csv" else "{}\n"
    right = wrong.replace("many", "3")
    received = await parked(wrong, **asked)
    body = received.body.replace(b"many", b"3")
    if format == "ndjson":
        right = json.dumps({"subject": "acme", "time": TIME, "data": {"feature": "x"}})
        body = right.encode()

    incoming = line_reader(read_cloud_event)(replace(received, body=body))

    (event,) = events(right, **asked)
    assert isinstance(incoming, Incoming)
    assert (incoming.id, incoming.source, incoming.account) == (event["id"], "crm", "acme")
    (draft,) = incoming.drafts
    assert (draft.type, draft.data, draft.backfill) == (event["type"], event["data"], True)


def test_a_parked_row_is_kept_with_the_names_of_its_cells() -> None:
    (bad,) = read(HEADER + f"1,crm,csm.usage.recorded,acme,{TIME},x,many\n")

    assert isinstance(bad, Bad)
    assert json.loads(bad.record.body)["data.quantity"] == "many"
