"""What is sent: usage events of many accounts, about 250 bytes each."""

import json
from datetime import UTC, datetime

ACCOUNTS = [f"account-{number:04}" for number in range(64)]

PLACE = "@" * 16
"""Where every request puts a number of its own, so that no event is sent twice."""


def event(number: int) -> bytes:
    """One event of just now, as a product's backend would send it."""
    return json.dumps(
        {
            "specversion": "1.0",
            "id": f"0f1e2d3c-{PLACE}-{number:06}",
            "source": "urn:acme:app",
            "type": "csm.usage.recorded",
            "subject": ACCOUNTS[number % len(ACCOUNTS)],
            "time": datetime.now(UTC).isoformat(),
            "data": {"feature": "report_exported", "user_id": f"user-{number % 1000}", "quantity": 3},
        },
        separators=(",", ":"),
    ).encode()


def bodies(events_each: int) -> list[bytes]:
    """Some bodies: single events, or batches of so many."""
    if events_each == 1:
        return [event(number) for number in range(256)]
    return [
        b"[" + b",".join(event(first * events_each + number) for number in range(events_each)) + b"]"
        for first in range(16)
    ]
