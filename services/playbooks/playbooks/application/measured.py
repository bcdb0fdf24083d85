"""What is counted of a playbook's entries, and who counts it: what the effect and the funnel are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from csm_common.errors import NotFoundError
from playbooks.domain.definition import Definition
from playbooks.domain.effect import Arms, Tally
from playbooks.domain.recovery import Observed

_NOTHING = Tally()

ExitKind = Literal["crossing", "condition", "late", "superseded", "held_back", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Entries of a playbook, of one version or all, from `since` to before `until`; None is any."""

    playbook: str
    version: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version, and whether it is the one that starts runs."""

    version: int
    active: bool
    definition: Definition


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """Runs by what has become of them; `held_out` counts the entries that had none."""

    started: int = 0
    active: int = 0
    completed: int = 0
    exited: Mapping[ExitKind, int] = field(default_factory=dict)
    failed: int = 0
    cancelled: int = 0
    held_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Yearly revenue (`arr`) at the entry, of `accounts` that tell it: of all that `entered`, and `at_stake`, of those that have
    neither recovered nor reached the goal. `currency` is None where the account names none."""

    currency: str | None
    accounts: int
    entered: float
    at_stake: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PathTally:
    """The treated accounts that a split sent one way, each by its first entry."""

    step: str
    path: str
    entered: int
    matured: int
    reached: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmMeasured:
    """One arm as it is stored."""

    tally: Tally = _NOTHING
    observed: Sequence[Observed] = ()
    revenue: Sequence[Money] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """All that is counted for an answer, of one moment; `in_both_arms` are accounts that were treated once and held out once."""

    runs: RunCounts
    treated: ArmMeasured
    held_out: ArmMeasured
    in_both_arms: int = 0
    paths: Sequence[PathTally] = ()


class Effects(Protocol):
    """Where it is counted. TransientError while the database is away."""

    async def versions(self, playbook: str) -> Sequence[Version]:
        """All versions, the newest first; none where nobody knows the playbook."""
        ...

    async def read_until(self) -> datetime | None:
        """By when all that was told of the accounts has been read; None where nothing ever was."""
        ...

    async def measure(self, wanted: Wanted, planned: Arms, now: datetime) -> Measured:
        """Everything counted at one moment. `planned` is the sample of which the first that matured are counted by themselves."""
        ...


def asked_versions(versions: Sequence[Version], wanted: Wanted) -> list[Version]:
    """Those that are asked for, the active one first; NotFoundError where there are none."""
    if not versions:
        raise NotFoundError(f"There is no playbook {wanted.playbook!r}; GET /v1/playbooks lists them.")
    found = [each for each in versions if wanted.version in (None, each.version)]
    if not found:
        known = ", ".join(str(each.version) for each in versions[:10])
        raise NotFoundError(
            f"The playbook {wanted.playbook} has no version {wanted.version}; it has {known}."
        )
    return sorted(found, key=lambda each: not each.active)


def exit_kind(reason: str, by_crossing: bool) -> ExitKind:
    """What ended a run early, by how the reason begins that the engine writes down."""
    for kind, begins in _EXITS:
        if reason.startswith(begins):
            return kind
    return "crossing" if by_crossing else "other"


_EXITS: Sequence[tuple[ExitKind, str]] = (
    ("superseded", "superseded by"),
    ("condition", "exit_when:"),
    ("late", "its wait ended"),
    ("held_back", "held back for"),
)
