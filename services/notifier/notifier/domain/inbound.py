"""Mails that come back to us: what each is taken for, and whether a bounce means that the address will never take a mail."""

import re
from dataclasses import dataclass
from typing import Literal

MailKind = Literal[
    "bounced", "delayed", "delivered", "complained", "unsubscribed", "replied", "auto_replied", "unknown"
]
"""Not delivered for good · not yet · a receipt · reported as spam · no more of this · an answer · a machine's · none of these."""

# RFC 3463: bad mailbox, bad system, bad syntax, moved without a new address, null MX (RFC 7505), mailbox disabled; and the code
# that Exchange Online gives where its directory knows no such recipient.
_HARD = re.compile(r"5\.(1\.(1|2|3|6|10)|2\.1|4\.1)")
_VAGUE = re.compile(r"5\.\d+\.0|5")
_NOBODY = re.compile(
    r"no such (user|mailbox|recipient|person|address)|(user|recipient|mailbox|address|account) (is )?unknown"
    r"|unknown (user|recipient|mailbox|address|account)"
    r"|(user|recipient|mailbox|account|address)\W*(is |does |was )?not (exist|found)"
    r"|no mailbox here|(mailbox|account|address) (is |has been )?(disabled|deactivated|closed)"
    r"|(doesn't|does not) (exist|have an account)",
    re.IGNORECASE,
)
_ENHANCED = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<![\d.])([245]\d\d)(?=[ \-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundMail:
    """What is told of a mail, without a word of its text. `key` is the same for the same mail.

    `proven` is the notification whose signature it bears, `named` are those that its headers name without proof, the likeliest
    first. `hard` tells of a bounce that the address will never take a mail; `code` is SMTP's, `status` the enhanced one (5.1.1).
    """

    key: str
    kind: MailKind
    proven: str | None = None
    named: tuple[str, ...] = ()
    hard: bool = False
    code: int | None = None
    status: str | None = None


def never_again(status: str | None, diagnostic: str) -> bool:
    """Whether a failure is about the address itself: full mailboxes, spam filters and policies pass, a person who left does not.

    Servers that give no telling status are understood by what they say.
    """
    told = _ENHANCED.findall(diagnostic)
    if any(_HARD.fullmatch(each) for each in (status or "", *told)):
        return True
    vague = status is None or _VAGUE.fullmatch(status) is not None
    permanent = (status or "5").startswith("5") and not any(each.startswith("4") for each in told)
    return vague and permanent and _NOBODY.search(diagnostic) is not None


def enhanced_status(text: str) -> str | None:
    """The first enhanced status code (RFC 3463) in a text."""
    found = _ENHANCED.search(text)
    return found.group(1) if found else None


def smtp_code(text: str) -> int | None:
    """The first SMTP reply code in a text."""
    found = _REPLY.search(text)
    return int(found.group(1)) if found else None
