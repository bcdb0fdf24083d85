"""Reads a CloudEvent that was kept as a rejection; those that come through the door are examined as bytes."""

from ingest.application.incoming import Draft, Incoming, Received
from ingest.application.reading import read_event
from ingest.application.shapes import read_time
from ingest.domain.attributes import attribute_problem
from ingest.domain.decision import Rejected, json_kind

FORMAT = "cloudevents"


def read_cloud_event(received: Received) -> Incoming | Rejected:
    """The event as a message about its subject."""
    event = read_event(received.body)
    if isinstance(event, Rejected):
        return event
    if problem := attribute_problem(event):
        return problem
    told = event.get("time")
    time = received.at if told is None else read_time(told)
    if isinstance(time, Rejected):
        return time
    data = event.get("data") or {}
    if not isinstance(data, dict):
        return Rejected("invalid_data", f"data must be a JSON object, not {json_kind(data)}.")
    backfill = event.get("backfill") is True
    draft = Draft(id=event["id"], type=event["type"], time=time, data=data, backfill=backfill)
    return Incoming(
        id=event["id"],
        source=event["source"],
        time=time,
        name=event["type"],
        properties=data,
        drafts=(draft,),
        account=event["subject"],
    )
