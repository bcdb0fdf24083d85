"""Gather what is known of a message and of what led to it, all from our own tables; the domain puts it into words."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import msgspec

from notifier.application.ports import Work
from notifier.application.views import NotificationDetail, NotificationFilter
from notifier.domain.notification import Notification
from notifier.domain.reasons import Reasons
from notifier.domain.why import Chosen, Message, Ruled, Why, explain
from notifier.domain.why_words import with_words

MOST_ITEMS = 200
"""Of a digest, so many messages are explained."""

_SAME = tuple(each.name for each in fields(Message) if each.name not in ("account", "attempts"))


async def why(work: Work, notification_id: str) -> Why | None:
    """The chain behind a message, in words too; of a digest, behind each of those that it tells. None where there is none."""
    detail = await work.notifications.detail(notification_id)
    if detail is None:
        return None
    items = []
    if detail.kind == "digest":
        wanted = NotificationFilter(folded_into=detail.id)
        folded = await work.notifications.page(wanted, None, MOST_ITEMS)
        for each in sorted(folded, key=lambda each: (-each.priority, each.requested_at, each.id)):
            found = await work.notifications.detail(each.id)
            items += [] if found is None else [await _chain(work, found)]
    return with_words(await _chain(work, detail, items))


async def _chain(work: Work, detail: NotificationDetail, items: list[Why] | None = None) -> Why:
    found = await work.notifications.find(detail.id)
    context = found[0].context if found else {}
    message = Message(
        account=_account_name(context),
        attempts=detail.attempt_count,
        **{name: getattr(detail, name) for name in _SAME},
    )
    return explain(
        message,
        await _chosen(work, detail),
        [
            Ruled(at=each.at, word=each.word, rule=each.rule, reason=each.reason, until=each.until)
            for each in detail.policy
        ],
        reasons_of(detail),
        erased=_erased(detail, found[0] if found else None),
        items=items or (),
    )


def reasons_of(detail: NotificationDetail) -> Reasons:
    """What came along with the request; where that is unreadable, the ids that every request has."""
    ids = {name: getattr(detail, name) for name in ("run_id", "step", "playbook", "playbook_version")}
    try:
        return msgspec.convert(
            ids | {name: each for name, each in detail.chain.items() if each is not None}, Reasons
        )
    except msgspec.ValidationError:
        return Reasons(**ids)


async def _chosen(work: Work, detail: NotificationDetail) -> Chosen | None:
    decided = detail.decision
    if decided is None:
        return None
    contacts = await work.directory.of_accounts({detail.account_id}) if decided.contact_id else {}
    names = {each.contact_id: each.name for each in contacts.get(detail.account_id, ())}
    name = names.get(decided.contact_id or "")
    return Chosen(kind=decided.kind, contact_id=decided.contact_id, name=name, why=decided.why)


def _account_name(context: Mapping[str, Any]) -> str | None:
    account = context.get("account")
    name = account.get("name") if isinstance(account, Mapping) else None
    return name if isinstance(name, str) else None


def _erased(detail: NotificationDetail, asked: Notification | None) -> bool:
    """An erasure empties the context, which no request of a playbook is without."""
    return detail.reason == "erased" or asked is None or not asked.context
