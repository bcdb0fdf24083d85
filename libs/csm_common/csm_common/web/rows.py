"""Which accounts a caller may see: all of them, a team's, or one owner's. Keys and signed tokens carry it as a word."""

from dataclasses import dataclass

from csm_common.errors import InvalidError

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Rows:
    """The accounts whose attribute `team` or `owner` is this; all where neither is told."""

    team: str | None = None
    owner: str | None = None

    @property
    def limited(self) -> bool:
        """Whether there are accounts that the caller may not see."""
        return self.team is not None or self.owner is not None

    def word(self) -> str:
        """As `parse_rows` reads it."""
        if self.team is not None:
            return f"team:{self.team}"
        return "all" if self.owner is None else f"owner:{self.owner}"


ALL_ROWS = Rows()


def parse_rows(word: str) -> Rows:
    """The rows of `all`, `team:NAME` or `owner:ID`; InvalidError for anything else."""
    if word == "all":
        return ALL_ROWS
    kind, _, name = word.partition(":")
    fits = name.strip() and len(name) <= _LONGEST and "\x00" not in name
    if kind not in ("team", "owner") or not fits:
        raise InvalidError(f"The rows {word[:80]!r} are none of all, team:NAME, owner:ID.")
    return Rows(team=name) if kind == "team" else Rows(owner=name)
