"""Telling the database's bad moments from bad statements and bad data."""

import pytest
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from csm_common.database.errors import is_transient


class Answer(Exception):  # noqa: N818 - it stands for what the driver raises
    """An error of the driver, with PostgreSQL's code if it came from there."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def wrapped(kind: type[DBAPIError], sqlstate: str | None, *, invalidated: bool = False) -> DBAPIError:
    """The error as SQLAlchemy passes it on."""
    return kind("SELECT 1", {}, Answer(sqlstate), connection_invalidated=invalidated)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        PoolTimeoutError(),
        wrapped(DBAPIError, "40001"),  # serialization failure
        wrapped(DBAPIError, "40P01"),  # deadlock
        wrapped(DBAPIError, "55P03"),  # lock not available
        wrapped(DBAPIError, "53300"),  # too many connections
        wrapped(DBAPIError, "53100"),  # disk full
        wrapped(OperationalError, "57P01"),  # the server shuts down
        wrapped(OperationalError, "57P03"),  # the server starts up
        wrapped(DBAPIError, "57014"),  # statement timeout
        wrapped(DBAPIError, "08006"),  # connection failure
        wrapped(DBAPIError, "25P03"),  # idle in transaction for too long
        wrapped(InterfaceError, None),  # the driver lost the connection
        wrapped(DBAPIError, "42601", invalidated=True),
    ],
)
def test_a_bad_moment(error: BaseException) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("nothing of the database"),
        wrapped(ProgrammingError, "42601"),  # syntax error
        wrapped(IntegrityError, "23505"),  # unique violation
        wrapped(DataError, "22P02"),  # invalid text representation
        wrapped(DataError, None),  # the driver could not encode a value
        wrapped(ProgrammingError, None),
        wrapped(DBAPIError, "42501"),  # no privilege
    ],
)
def test_a_bad_statement_or_bad_data(error: BaseException) -> None:
    assert not is_transient(error)
