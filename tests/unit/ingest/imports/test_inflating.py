"""What looks like gzip is inflated piece by piece, however it was cut, and no further than allowed."""

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.ingest.imports.test_lines import cut

from csm_common.errors import InvalidError, TooLargeError
from ingest.application.imports.inflating import PIECE_BYTES, Plain

BIG = bytes(range(256)) * 1_000


def read(pieces: list[bytes], limit: int = 10**7) -> bytes:
    """The plain bytes of these pieces."""
    plain = Plain(limit)
    out = [part for piece in pieces for part in plain.feed(piece)] + list(plain.finish())
    assert all(len(each) <= PIECE_BYTES for each in out)
    assert plain.size == sum(map(len, out))
    return b"".join(out)


@given(st.binary(), st.lists(st.integers(0, 100)))
def test_plain_bytes_pass_as_they_are(content: bytes, places: list[int]) -> None:
    if not content.startswith(b"\x1f\x8b"):
        assert read(cut(content, places)) == content


@settings(deadline=None)
@given(
    st.lists(st.binary() | st.just(BIG), min_size=1, max_size=3),
    st.lists(st.integers(0, 200)),
    st.integers(0, 20),
)
def test_packed_bytes_are_inflated_in_all_their_members(
    members: list[bytes], places: list[int], zeros: int
) -> None:
    packed = b"".join(map(gzip.compress, members)) + bytes(zeros)

    assert read(cut(packed, places)) == b"".join(members)


def test_a_bomb_is_inflated_up_to_the_limit_only() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    plain = Plain(limit=1_000_000)

    with pytest.raises(TooLargeError):
        list(plain.feed(bomb))
    assert plain.size <= 1_000_000 + PIECE_BYTES


def test_too_many_plain_bytes_are_refused() -> None:
    assert read([b"12345"], limit=5) == b"12345"
    with pytest.raises(TooLargeError):
        read([b"123", b"456"], limit=5)


@pytest.mark.parametrize(
    "damaged",
    [
        gzip.compress(BIG, mtime=0)[:-1],
        gzip.compress(BIG, mtime=0)[:40],
        b"\x1f\x8b",
        b"\x1f\x8bnot gzip at all",
        gzip.compress(BIG, mtime=0) + b"x",
        gzip.compress(BIG, mtime=0)[:-8] + bytes(8),
    ],
)
def test_damage_is_told(damaged: bytes) -> None:
    with pytest.raises(InvalidError) as refused:
        read([damaged])
    assert refused.value.code == "invalid_gzip"


def test_one_byte_is_no_gzip() -> None:
    assert read([b"\x1f"]) == b"\x1f"
