"""Messages to webhooks are signed as Standard Webhooks (https://www.standardwebhooks.com) say: receivers need no code of ours."""

import re
from collections.abc import Sequence
from datetime import datetime

from standardwebhooks import Webhook

_NOT_IN_AN_ID = re.compile(r"[^!-~]")


def signed(secrets: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of one attempt: `webhook-id` is the message's, the same for all of them; the time is the attempt's.

    Each secret (`whsec_…`) signs, so that a receiver may change over when it likes; without any there is no signature.
    """
    id_ = _NOT_IN_AN_ID.sub("-", message_id)
    headers = {"webhook-id": id_, "webhook-timestamp": str(int(at.timestamp()))}
    if secrets:
        signatures = (Webhook(each).sign(id_, at, body.decode()) for each in secrets)
        headers["webhook-signature"] = " ".join(signatures)
    return headers
