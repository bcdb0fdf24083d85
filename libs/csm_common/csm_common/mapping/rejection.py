"""Why a row was left out: for programs a code, for people a sentence that names the column and what was found there.

A row is whatever is mapped: a line of a file, the message of an SDK, the delivery of a webhook.
"""

from csm_common.errors import InvalidError


class RejectedRowError(InvalidError):
    """This row cannot become a fact; those after it can. `column` is None where the whole row is at fault."""

    def __init__(self, code: str, message: str, *, column: str | None = None) -> None:
        super().__init__(message, code=code)
        self.column = column

    @property
    def reason(self) -> str:
        """What rows rejected alike are counted under: `out_of_range: nps_score`."""
        return f"{self.code}: {self.column}" if self.column else self.code


def shown(value: object) -> str:
    """A found value as a sentence quotes it, cut when long."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
