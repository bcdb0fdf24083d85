"""Erasures among the facts of a batch: what was told of an account before its erasure is void, what is told behind it counts."""

from dataclasses import dataclass, field

from csm_common.contracts.facts import ACCOUNT_ERASED, CONTACT_ERASED
from csm_common.telemetry import metrics
from csm_common.telemetry.logs import get_logger
from health_score.application.decoding import Decoded
from health_score.domain.account import AccountState

log = get_logger(__name__)

ERASED = frozenset({ACCOUNT_ERASED, CONTACT_ERASED})


@dataclass(slots=True)
class Voided:
    """A batch after its erasures: the facts that are to be folded, by account the erasure that came last, and how many contacts
    are to be erased."""

    facts: list[Decoded] = field(default_factory=list)
    erasures: dict[str, Decoded] = field(default_factory=dict)
    contacts: int = 0


def voided(new: list[Decoded]) -> Voided:
    """Take out the erasures of accounts, and all that stands before them about the same accounts."""
    if ERASED.isdisjoint([each.envelope.type for each in new]):
        return Voided(new)
    batch = Voided()
    for each in new:
        type_, account = each.envelope.type, each.envelope.subject
        if type_ == ACCOUNT_ERASED:
            batch.facts = [fact for fact in batch.facts if fact.envelope.subject != account]
            batch.erasures[account] = each
        else:
            batch.facts.append(each)
            batch.contacts += type_ == CONTACT_ERASED
    return batch


def tell_erased(batch: Voided, accounts: int) -> None:
    """One line for the erasures of a batch that lasts; `accounts` is how many there were to erase."""
    if not batch.erasures and not batch.contacts:
        return
    metrics.erasures.add(len(batch.erasures), {"service": "health-score", "kind": "account"})
    metrics.erasures.add(batch.contacts, {"service": "health-score", "kind": "contact"})
    log.info("erased", accounts=accounts, asked_accounts=len(batch.erasures), asked_contacts=batch.contacts)


def is_afterthought(state: AccountState, told: Decoded) -> bool:
    """Whether a fact must not bring an account into being: that a contact of it is erased, or, for an account that is erased,
    what our own services still had to tell of it."""
    if state.folded:
        return False
    return told.envelope.type == CONTACT_ERASED or (state.erased_revision > 0 and told.is_outcome)
