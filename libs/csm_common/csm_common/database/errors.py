"""Telling the database's bad moments (try again) from bad statements and bad data (a bug, or a poison record)."""

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# Connection, rollback (serialization, deadlock), resources (disk full, too many connections), lock, operator intervention.
_TRANSIENT_CLASSES = ("08", "40", "53", "55", "57")
_IDLE_IN_TRANSACTION = "25P03"


def is_transient(error: BaseException) -> bool:
    """Whether the same statement may well succeed later."""
    if isinstance(error, (OSError, TimeoutError, PoolTimeoutError)):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        # The driver's own: the connection broke, or was ended by the server in the middle of something.
        return not isinstance(error, (DataError, IntegrityError, NotSupportedError, ProgrammingError))
    return state[:2] in _TRANSIENT_CLASSES or state == _IDLE_IN_TRANSACTION
