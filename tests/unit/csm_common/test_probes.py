"""What a consumer's readiness and liveness are made of: it has partitions and works, and it comes round."""

from csm_common.web.probes import consumer_checks


class Consumer:
    """A consumer in a given state."""

    def __init__(self, *, problem: str | None = None, stalled: float = 0.0) -> None:
        self._problem = problem
        self._stalled = stalled

    def problem(self) -> str | None:
        """What it would say."""
        return self._problem

    def stalled_for(self) -> float:
        """Seconds since it came round."""
        return self._stalled


async def answers(consumer: Consumer) -> tuple[str | None, str | None]:
    """Its readiness and its liveness."""
    ready, alive = consumer_checks(consumer, patience_s=60.0)
    return await ready["consumer"](), await alive["consumer"]()


async def test_a_consumer_that_works_is_ready_and_alive() -> None:
    assert await answers(Consumer(stalled=59.0)) == (None, None)


async def test_one_with_a_problem_is_not_ready_but_alive() -> None:
    assert await answers(Consumer(problem="halted")) == ("halted", None)


async def test_one_that_does_not_come_round_is_to_be_started_anew() -> None:
    assert await answers(Consumer(stalled=61.0)) == (None, "The consumer has not come round for 61 s.")
