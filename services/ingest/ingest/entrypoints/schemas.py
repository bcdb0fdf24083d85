"""JSON Schemas of what the door takes and answers, made from the very classes that check and answer."""

from typing import Any

from pydantic import TypeAdapter

from csm_common.contracts.contacts import ContactRecorded
from csm_common.contracts.facts import FACTS
from ingest.application.accept_events import BatchReceipt, ParkedReceipt, Receipt
from ingest.application.contacts import CONTACT_CHANGED
from ingest.application.reading import MAX_BATCH_EVENTS
from ingest.domain.attributes import LONGEST
from ingest.domain.contacts import LONGEST_ID
from ingest.domain.event_types import RESERVED

Schema = dict[str, Any]

_PLAIN = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$"
_TEXTS = {
    name: {"type": "string", "pattern": _PLAIN, "maxLength": longest} for name, longest in LONGEST.items()
}
_ABOUT = {
    "id": "Tells the event from all others of its source; the same when it is sent again.",
    "source": "The system that tells.",
    "type": "What happened.",
    "subject": "The account the event is about.",
}


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def component_schemas() -> dict[str, Schema]:
    """All components by name: data and event of every fact, the custom event, any event, a batch, receipts, a problem."""
    data = _data_schemas()
    events = {
        f"{shape.__name__}Event": _fact_event(
            name, shape.__name__, bool(data[shape.__name__].get("required"))
        )
        for name, shape in FACTS.items()
    }
    events["CustomEvent"] = _custom_event()
    return {
        **data,
        **events,
        "Event": {"oneOf": [ref(name) for name in events]},
        "Batch": {"type": "array", "minItems": 1, "maxItems": MAX_BATCH_EVENTS, "items": ref("Event")},
        "Problem": _problem(),
    }


def _data_schemas() -> dict[str, Schema]:
    classes: list[type] = [*FACTS.values(), ContactRecorded, Receipt, ParkedReceipt, BatchReceipt]
    _, definitions = TypeAdapter.json_schemas(
        [(each.__name__, "validation", TypeAdapter(each)) for each in classes],
        ref_template="#/components/schemas/{model}",
    )
    schemas: dict[str, Schema] = definitions["$defs"]
    schemas[FACTS[CONTACT_CHANGED].__name__] = _contact_data(schemas.pop(ContactRecorded.__name__))
    return schemas


def _contact_data(recorded: Schema) -> Schema:
    """What a sender may tell of a contact: what we record of one, but for the account, which is the event's subject."""
    properties = {
        name: schema for name, schema in recorded["properties"].items() if name not in ("account_id", "as_of")
    }
    properties["contact_id"] = {"type": "string", "pattern": "^[^/]+$", "maxLength": LONGEST_ID}
    return recorded | {
        "title": FACTS[CONTACT_CHANGED].__name__,
        "description": "A person. Personal details are kept apart from all other facts.",
        "properties": properties,
        "required": ["contact_id"],
    }


def _fact_event(name: str, shape: str, data_needed: bool) -> Schema:
    if not data_needed:
        return _event({"const": name}, {"anyOf": [ref(shape), {"type": "null"}]})
    event = _event({"const": name}, ref(shape))
    return event | {"required": [*event["required"], "data"]}


def _custom_event() -> Schema:
    pattern = f"^{RESERVED}".replace(".", r"\.")
    return _event(_TEXTS["type"] | {"not": {"pattern": pattern}}, {"type": ["object", "null"]})


def _event(type_schema: Schema, data_schema: Schema) -> Schema:
    texts = {name: schema | {"description": _ABOUT[name]} for name, schema in _TEXTS.items()}
    return {
        "type": "object",
        "required": ["specversion", *LONGEST],
        "properties": {
            "specversion": {"const": "1.0"},
            **texts,
            "type": type_schema | {"description": _ABOUT["type"]},
            "time": {
                "type": ["string", "null"],
                "format": "date-time",
                "description": "When it happened; the time of receipt unless told. Not before 2000, not in the future.",
            },
            "backfill": {
                "type": "boolean",
                "default": False,
                "description": "History: it counts, and announces nothing.",
            },
            "data": data_schema,
        },
    }


def _problem() -> Schema:
    text = {"type": "string"}
    return {
        "type": "object",
        "required": ["type", "title", "status", "detail", "code", "message"],
        "properties": {
            "type": text,
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "code": text | {"description": "For programs."},
            "message": text | {"description": "For people: what is wrong, where, and what to do."},
            **{
                name: schema | {"description": "When all events of a batch are rejected."}
                for name, schema in (
                    ("accepted", {"type": "integer"}),
                    ("duplicates", {"type": "integer"}),
                    ("parked", {"type": "integer"}),
                    ("rejected", {"type": "integer"}),
                    ("results", {"type": "array", "items": ref("EventOutcome")}),
                )
            },
        },
    }
