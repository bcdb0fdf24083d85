"""The JSON Schema of a playbook, for editors: it tells what members there are and what they mean while somebody writes."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from playbooks.domain.definition import Definition
from playbooks.domain.steps import KINDS

ID = "urn:csm:playbook:1"

_NAME, _DURATION = r"^[a-z][a-z0-9_]{0,62}$", r"^[1-9][0-9]{0,4}[smhdw]$"

_SHAPES: dict[str, tuple[str, ...]] = {
    _NAME: (
        "Definition.name", "Definition.purpose", "Trigger.threshold", "Holdout.programme", "Step.name", "Case.name", "Path.name",
        "Notify.template", "Notify.category", "Recipient.endpoint", "Task.type", "Webhook.endpoint",
    ),
    _DURATION: (
        "Entry.once_per", "Goal.within", "Late.after", "WaitUntil.timeout", "Approve.expires_in", "Until.before", "Until.after",
    ),
    r"^([1-9][0-9]{0,4}[smhdw]|[1-9][0-9]{0,2}wd)$": ("Task.due_in",),
    r"^([01][0-9]|2[0-3]):[0-5][0-9]$": ("Until.time",),
}  # fmt: skip
"""What texts look like, by the members that hold them."""

_MEANINGS = {
    "Definition.name": "All versions share it: lower-case letters, digits and _.",
    "Definition.title": "For people; message templates show it.",
    "Definition.description": "What it is for, and why it does what it does.",
    "Definition.trigger": "The crossing that starts a run.",
    "Definition.audience": "A condition (CEL) over the account as it was at the crossing; others do not enter.",
    "Definition.entry": "How often an account may enter.",
    "Definition.purpose": "An account has one active run of a purpose; the playbook's name unless told.",
    "Definition.priority": "Takes the place of a run of the same purpose with a lower priority; its messages go before others'.",
    "Definition.holdout": "The share of accounts that is left alone, so that the difference can be seen.",
    "Definition.limits": "How far a mistake can reach.",
    "Definition.goal": "What it is for, as a condition: its effect is measured by it.",
    "Definition.exit_when": "What ends an active run. Unless told, the way back over the trigger's own threshold.",
    "Definition.late": "What becomes of a run whose wait ended long ago, after an outage.",
    "Definition.steps": "One after the other; each has a name of its own and does one thing.",
    "Step.sales": "Held back while an escalation is in progress.",
    "Step.notify": "Ask for a message to the first of the recipients who can be found.",
    "Step.wait": "A duration such as 2d, or a mapping: until a time of day, or around a date of the account.",
    "Step.wait_until": "Go on as soon as a condition holds, at the latest after the timeout.",
    "Step.branch": "Take the first case whose condition holds, else otherwise; then the step after the branch.",
    "Step.task": "Give a person work.",
    "Step.webhook": "POST to an endpoint of the settings, signed.",
    "Step.split": "An experiment: each account goes one way, drawn once by its id.",
    "Step.approve": "Ask a person. Yes goes on; otherwise rejected or expired is taken, and the run ends.",
    "Step.end": "End the run here, whatever comes after.",
    "Notify.channel": "How: a mail, a message in a chat, or a signed POST to an endpoint of the notifier.",
    "Notify.recipients": "The first who can be reached gets it; the others are tried only where nobody before them can be.",
    "Notify.if_held": "What becomes of a message that must not go now, as at night: later, or drop.",
    "Recipient.owner": "The account's owner.",
    "Recipient.team": "The team that the account names, at the address an operator gave it.",
    "Recipient.role": "A contact with this role.",
    "Recipient.contact": "The contact with this id.",
    "Recipient.endpoint": "An endpoint by the name an operator gave it; not of emails.",
    "Task.reason": "Type and reason are the identity of an account's open task: a second one updates it.",
    "Task.due_in": "A duration, or working days as in 3wd.",
    "Until.date": "The name of an attribute of the account that holds a date.",
    "Until.zone": "account, or a time zone such as Europe/Berlin.",
    "Path.share": "Its weight beside the others'.",
    "Holdout.programme": "Playbooks of one programme leave the same accounts alone; the playbook's name unless told.",
    "Limits.starts_per_hour": "With more starts than this in an hour the playbook pauses itself.",
}


@cache
def definition_schema() -> dict[str, Any]:
    """JSON Schema 2020-12. Whether conditions can be decided and names fit each other is told by validating a file."""
    schema = TypeAdapter(Definition).json_schema(ref_template="#/$defs/{model}")
    parts = schema.pop("$defs")
    for name, part in [*parts.items(), ("Definition", schema)]:
        _describe(name, part)
    # A step does one thing; pydantic knows that each of them may be left out, and so would let all be.
    parts["Step"]["oneOf"] = [{"required": [kind]} for kind in KINDS]
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": ID}
    return {**head, **schema, "title": "Playbook", "$defs": parts}


def _describe(name: str, part: dict[str, Any]) -> None:
    for member, told in part.get("properties", {}).items():
        full = f"{name}.{member}"
        told.pop("title", None)
        if full in _MEANINGS:
            told["description"] = _MEANINGS[full]
        for shape, members in _SHAPES.items():
            if full in members:
                _text_of(told)["pattern"] = shape
        if "default" in told and told["default"] in (None, []):
            del told["default"]


def _text_of(told: dict[str, Any]) -> dict[str, Any]:
    """Where a text may be left out, the kind that is the text."""
    return next((each for each in told.get("anyOf", []) if each.get("type") == "string"), told)
