"""The limit: a bare ASGI program that checks nothing, and answers once the same bytes are acknowledged by the same broker."""

import sys
from typing import Any

import msgspec
import uvicorn

from benchmarks.ingest.events import ACCOUNTS
from csm_common.contracts.topics import CUSTOMER_EVENTS
from csm_common.database.outbox import Message
from csm_common.kafka.producer import Producer
from csm_common.settings import KafkaSettings

_ACCEPTED = {"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]}
_REFUSED = _ACCEPTED | {"status": 503}
_BODY = {"type": "http.response.body", "body": b"{}"}
_KEYS = [account.encode() for account in ACCOUNTS]


class Bare:
    """The ASGI program; it starts its producer with the first request, on the server's own event loop."""

    def __init__(self, bootstrap: str) -> None:
        self._settings = KafkaSettings(bootstrap=bootstrap, idempotence=False)
        self._producer: Producer | None = None

    async def __call__(self, _: Any, receive: Any, send: Any) -> None:
        """One request."""
        if self._producer is None:
            self._producer = await Producer(self._settings, deadline_s=2.0).__aenter__()
        body = b""
        while True:
            message = await receive()
            body += message["body"]
            if not message["more_body"]:
                break
        events = msgspec.json.decode(body, type=list[msgspec.Raw]) if body.startswith(b"[") else [body]
        messages = [
            Message(CUSTOMER_EVENTS.name, _KEYS[index % len(_KEYS)], bytes(event))
            for index, event in enumerate(events)
        ]
        errors = await self._producer.send(messages)
        await send(_REFUSED if any(errors) else _ACCEPTED)
        await send(_BODY)


if __name__ == "__main__":
    uvicorn.run(
        Bare(sys.argv[1]), port=int(sys.argv[2]), access_log=False, log_level="warning", lifespan="off"
    )
