"""What was taken lately: at least so many are remembered, at most twice as many, and a request remembers itself."""

from hypothesis import given
from hypothesis import strategies as st

from csm_common.database.outbox import Message
from ingest.application.accepted import Accepted
from ingest.application.recent import Recent, Seen


def fact(key: str = "e-1", digest: int = 1) -> Accepted:
    """A fact that says `digest`."""
    return Accepted(key, "app", digest, Message("t", b"k", b"v"))


@given(st.integers(1, 5), st.lists(st.integers(0, 30), max_size=60))
def test_the_last_ones_are_known_and_the_first_ones_forgotten(size: int, ids: list[int]) -> None:
    recent = Recent(size)
    for each in ids:
        recent.remember("app", str(each), each)

    latest = list(dict.fromkeys(reversed(ids)))
    assert all(recent.digest_of("app", str(each)) == each for each in latest[:size])
    assert sum(recent.digest_of("app", str(each)) is not None for each in range(31)) <= 2 * size


def test_what_was_said_last_stands() -> None:
    recent = Recent(2)
    for name, digest in [("a", 1), ("b", 1), ("a", 2)]:
        recent.remember("app", name, digest)

    assert recent.digest_of("app", "a") == 2


def test_sources_do_not_share_their_ids() -> None:
    recent = Recent(9)
    recent.remember("app", "e-1", 1)

    assert recent.digest_of("web", "e-1") is None


def test_a_repeat_is_told_from_something_else() -> None:
    recent = Recent(9)
    recent.remember("app", "e-1", 1)
    seen = Seen(recent)

    assert [seen.repeats(fact(digest=each)) for each in (1, 2)] == ["same", "other"]
    assert [seen.repeats(fact("e-2", digest=each)) for each in (0, 0, 1)] == ["", "same", "other"]


def test_what_a_request_says_is_forgotten_with_it() -> None:
    recent = Recent(9)
    Seen(recent).repeats(fact())

    assert Seen(recent).repeats(fact()) == ""
