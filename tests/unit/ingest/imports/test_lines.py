"""Lines come out the same however their bytes were cut."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from ingest.application.imports.lines import Line, Lines

TEXT = st.lists(
    st.sampled_from([b"\n", b"\r\n", b"\r", b'"', b"a", b"bc" * 4, b"\xef\xbb\xbf", b"\xff"])
).map(b"".join)


def read(pieces: list[bytes], limit: int) -> list[Line]:
    """The lines of these pieces."""
    lines = Lines(limit)
    return [line for piece in pieces for line in lines.feed(piece)] + list(lines.finish())


def cut(content: bytes, places: list[int]) -> list[bytes]:
    """The content cut at these places."""
    edges = sorted({0, len(content), *(place for place in places if place < len(content))})
    return [content[start:end] for start, end in pairwise(edges)]


@given(TEXT | st.binary(), st.lists(st.integers(0, 60)), st.integers(1, 12))
@example(b"12345\r\n", [5, 6], 5)
@example(b"\xef\xbb\xbfa\n", [1, 2], 3)
def test_any_cutting_of_any_bytes_gives_the_same_lines(content: bytes, places: list[int], limit: int) -> None:
    assert read(cut(content, places), limit) == read([content], limit)


@given(TEXT | st.binary())
def test_whole_lines_hold_all_that_was_there(content: bytes) -> None:
    lines = read([content], limit=len(content) + 1)

    expected = content.removeprefix(b"\xef\xbb\xbf").split(b"\n") if content else []
    if content.endswith(b"\n"):
        expected.pop()
    assert [each.content for each in lines] == [each.removesuffix(b"\r") for each in expected]
    assert all(each.whole for each in lines)
    assert [each.number for each in lines] == list(range(1, len(lines) + 1))


@given(TEXT | st.binary(), st.integers(1, 12))
def test_no_line_is_kept_beyond_the_limit(content: bytes, limit: int) -> None:
    for line in read([content], limit):
        assert len(line.content) <= limit
        assert line.whole == (line.length <= limit) or line.number == 1  # where a mark was taken off


def test_a_line_of_just_the_limit_is_whole() -> None:
    assert read([b"12345\n123456\n"], 5) == [Line(1, b"12345", 5), Line(2, b"12345", 6)]
    assert read([b"12345\r\n12345\r"], 5) == [Line(1, b"12345", 5), Line(2, b"12345", 5)]
