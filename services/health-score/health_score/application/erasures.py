"""Erasures among the facts of a batch: what was told of an account before its erasure is void, what is told behind it counts."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from csm_common.contracts.facts import ACCOUNT_ERASED, CONTACT_ERASED
from health_score.application.decoding import Decoded
from health_score.domain.account import AccountState


@dataclass(slots=True)
class Voided:
    """A batch after its erasures: the facts that are to be folded, and by account the erasure that came last."""

    facts: list[Decoded] = field(default_factory=list)
    erasures: dict[str, Decoded] = field(default_factory=dict)


def voided(new: Iterable[Decoded]) -> Voided:
    """Take out the erasures of accounts, and all that stands before them about the same accounts."""
    batch = Voided()
    for each in new:
        account = each.envelope.subject
        if each.envelope.type == ACCOUNT_ERASED:
            batch.facts = [fact for fact in batch.facts if fact.envelope.subject != account]
            batch.erasures[account] = each
        else:
            batch.facts.append(each)
    return batch


def is_afterthought(state: AccountState, told: Decoded) -> bool:
    """Whether a fact must not bring an account into being: that a contact of it is erased, or, for an account that is erased,
    what our own services still had to tell of it."""
    if state.folded:
        return False
    return told.envelope.type == CONTACT_ERASED or (state.erased_revision > 0 and told.is_outcome)
