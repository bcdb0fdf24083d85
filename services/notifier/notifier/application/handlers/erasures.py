"""Forget a person or an account, and send nothing more that was asked for before that."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from notifier.application.ports import Erased, Happened, Work
from notifier.domain.notification import Notification

log = get_logger(__name__)

ContactErasures = Mapping[tuple[str, str], datetime]
AccountErasures = Mapping[str, datetime]


async def erase(work: Work, contacts: ContactErasures, accounts: AccountErasures) -> Sequence[Erased]:
    """Carry erasures out. The account of a contact lives on, so it is told what was cancelled; an erased one hears nothing."""
    done = []
    if contacts:
        done.append(erased := await work.erasures.of_contacts(contacts))
        at = max(contacts.values())
        gone = [Happened(notification=each, status="cancelled", at=at) for each in erased.cancelled]
        await work.facts.happened(gone)
    if accounts:
        done.append(await work.erasures.of_accounts(accounts))
    return done


def tell_erased(contacts: ContactErasures, accounts: AccountErasures, done: Sequence[Erased]) -> None:
    """One line, once it lasts."""
    if not done:
        return
    metrics.erasures.add(len(contacts), {"service": "notifier", "kind": "contact"})
    metrics.erasures.add(len(accounts), {"service": "notifier", "kind": "account"})
    log.info(
        "erased",
        asked_contacts=len(contacts),
        asked_accounts=len(accounts),
        contacts=sum(each.contacts for each in done),
        notifications=sum(each.notifications for each in done),
        attempts=sum(each.attempts for each in done),
        cancelled=sum(len(each.cancelled) for each in done),
    )


async def not_erased_since(work: Work, asked: Sequence[Notification]) -> list[Notification]:
    """Those of accounts that were not erased since they were asked for."""
    erased = await work.erasures.erased_at({each.account_id for each in asked})
    kept = [
        each for each in asked if each.account_id not in erased or each.requested_at > erased[each.account_id]
    ]
    if len(kept) < len(asked):
        log.info("requests about erased accounts are not taken in", requests=len(asked) - len(kept))
    return kept
