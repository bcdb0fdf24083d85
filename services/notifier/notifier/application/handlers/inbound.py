"""Take in a mail that came back: find the message it is about, tell what became of it, and write no more where that follows."""

from dataclasses import dataclass, replace
from datetime import datetime

from csm_common.ids import derived_id
from csm_common.telemetry import metrics
from notifier.application.handlers.outcomes import hard_bounce
from notifier.application.handlers.responding import responded, tell_of
from notifier.application.handlers.suppressing import unsubscribe
from notifier.application.ports import Happened, Work
from notifier.application.responses import Claims, TakenMail
from notifier.domain.inbound import InboundMail, MailKind
from notifier.domain.notification import Notification
from notifier.domain.policy import Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class MailTaken:
    """What a mail was taken for; `status` is a bounce's enhanced code.

    `repeated`: it had been here before and changed nothing. `suppressed`: the person it was about is written to no more, of the
    message's category where they unsubscribed.
    """

    taken_for: MailKind
    notification_id: str | None
    repeated: bool = False
    suppressed: bool = False
    status: str | None = None


@dataclass(frozen=True, slots=True)
class _About:
    """The message a mail is about, the person it went to, and whether the mail proves that it is about it."""

    notification: Notification
    person: str | None
    proven: bool


async def take_in(work: Work, mail: InboundMail, signs: bool, now: datetime) -> tuple[MailTaken, str | None]:
    """Take it in. Also the person who wants no more, where it says that.

    `signs`: our mails have signed return addresses. Then a bounce or a spam report without a signature is told of, but suppresses
    nobody: anyone can write a mail that names a message.
    """
    about = await _about(work, mail)
    id_ = about.notification.id if about else None
    before = await work.responses.take_in(mail.key, TakenMail(mail.kind, id_), now)
    if before is not None:
        # What is stored came from the same list of words.
        return MailTaken(taken_for=before.kind, notification_id=before.notification_id, repeated=True), None  # type: ignore[arg-type]
    metrics.inbound_mails.add(1, {"kind": mail.kind})
    taken = MailTaken(taken_for=mail.kind, notification_id=id_, status=mail.status)
    if about is None:
        return taken, None
    believed = about.proven or not signs
    if mail.kind == "unsubscribed" and about.proven:
        await unsubscribe(work, await _claims(work, about), now)
        return replace(taken, suppressed=about.person is not None), about.person
    if mail.kind == "bounced":
        return replace(taken, suppressed=await _bounced(work, mail, about, believed, now)), None
    if mail.kind == "complained":
        return replace(taken, suppressed=await _complained(work, about, believed, now)), None
    if mail.kind == "replied":
        await responded(work, about.notification.id, "replied", now)
    return taken, None


async def _about(work: Work, mail: InboundMail) -> _About | None:
    candidates = [(mail.proven, True)] if mail.proven else []
    for id_, proven in [*candidates, *((each, False) for each in mail.named)]:
        found = await work.notifications.find(id_)
        if found is not None:
            return _About(found[0], found[2], proven)
    return None


async def _bounced(work: Work, mail: InboundMail, about: _About, believed: bool, now: datetime) -> bool:
    """Whether the address is suppressed. A fact for each kind of bounce: one that passes may be followed by one that does not."""
    if await work.responses.first(about.notification.id, "bounced", 0 if mail.hard else 1, now):
        told = Happened(
            notification=about.notification,
            status="bounced",
            at=now,
            code=mail.code,
            answer="hard" if mail.hard else "soft",
            number=0 if mail.hard else 1,
        )
        await tell_of(work, told)
    if not (mail.hard and believed and about.person is not None):
        return False
    suppression = hard_bounce(about.notification, about.person, now)
    contact = await _contact_id(work, about)
    await work.suppressions.add([replace(suppression, contact_id=contact, note=mail.status)])
    return True


async def _complained(work: Work, about: _About, believed: bool, now: datetime) -> bool:
    """Whether the person is suppressed."""
    await responded(work, about.notification.id, "complained", now)
    if not believed or about.person is None:
        return False
    suppression = Suppression(
        id=derived_id("suppression", "complaint", about.notification.id),
        person=about.person,
        category=None,
        reason="complaint",
        since=now,
        account_id=about.notification.account_id,
        contact_id=await _contact_id(work, about),
        notification_id=about.notification.id,
    )
    await work.suppressions.add([suppression])
    return True


async def _claims(work: Work, about: _About) -> Claims:
    return Claims(
        notification_id=about.notification.id,
        account_id=about.notification.account_id,
        contact_id=await _contact_id(work, about),
        person=about.person,
        category=about.notification.category,
    )


async def _contact_id(work: Work, about: _About) -> str | None:
    detail = await work.notifications.detail(about.notification.id)
    return detail.decision.contact_id if detail and detail.decision else None
