"""A service waits for its servers, but not for what waiting cannot mend."""

import pytest

from csm_common.errors import FatalError, TransientError
from csm_common.startup import until_available


class Attempts:
    """Fails with these errors, then works."""

    def __init__(self, *errors: Exception) -> None:
        self.count = 0
        self._errors = list(errors)

    async def __call__(self) -> None:
        """One attempt."""
        self.count += 1
        if self._errors:
            raise self._errors.pop(0)


async def test_it_tries_until_the_server_answers(caplog: pytest.LogCaptureFixture) -> None:
    attempts = Attempts(TransientError("starting up"), ConnectionRefusedError(), TimeoutError())
    await until_available("PostgreSQL", attempts, pause_s=0.001)
    assert attempts.count == 4
    assert caplog.text.count("waiting for a server") == 3


@pytest.mark.parametrize("error", [FatalError("a newer schema"), ZeroDivisionError()])
async def test_what_waiting_cannot_mend_is_raised_at_once(error: Exception) -> None:
    attempts = Attempts(error)
    with pytest.raises(type(error)):
        await until_available("PostgreSQL", attempts, pause_s=0.001)
    assert attempts.count == 1
