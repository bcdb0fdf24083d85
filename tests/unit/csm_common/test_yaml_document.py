"""Where a member stands in a YAML text."""

import pytest

from csm_common.yaml_document import BrokenDocumentError, YamlDocument

DOCUMENT = YamlDocument("a: 1\nb:\n  - c: 2\n    d: [3, 4]\n")


@pytest.mark.parametrize(
    ("place", "position"),
    [
        ((), (1, 1)),
        (("a",), (1, 4)),
        (("b", 0, "d", 1), (4, 12)),
        (("b", 0, "e"), (3, 5)),  # a member that is missing stands where its mapping begins
        (("b", 7), (3, 3)),
        (("a", "x", "y"), (1, 4)),
        (("z",), (1, 1)),
    ],
)
def test_a_member_has_a_position(place: tuple[str | int, ...], position: tuple[int, int]) -> None:
    assert DOCUMENT.position(place) == position


@pytest.mark.parametrize("text", ["a: 1\nb: {c: 1, c: 2}", "a: 1\nb: [{c: 1, c: 2}]"])
def test_a_key_that_is_given_twice_is_found_however_deep(text: str) -> None:
    with pytest.raises(BrokenDocumentError, match="c is given more than once") as broken:
        YamlDocument(text)
    assert broken.value.line == 2


def test_an_empty_document_is_nothing() -> None:
    document = YamlDocument("")
    assert document.value is None
    assert document.position(("a",)) == (1, 1)


@pytest.mark.parametrize(
    ("text", "is_json", "sentence", "position"),
    [
        ("a: &x 1\nb: *x", False, "aliases such as \\*x are not understood", (2, 4)),
        ("a: [" * 1 + "[" * 200, False, "nested so deeply", (1, 123)),
        ('{"a": ' * 200, True, "nested so deeply", (1, 721)),
        ("a: 1\n? [b]\n: 2", False, "the name of a member must be a word", (2, 3)),
        ('a: 1\nb: "\\0"', False, "cannot be kept", (2, 4)),
        ('{"a": 1,\n "b": "\\ud83d"}', True, "cannot be kept", (2, 7)),
        ('{"a": 1e999}', True, "cannot be kept", (1, 7)),
        ('{"a": Infinity}', True, "Infinity is no number", (1, 1)),
        ('{"a": 1,\n "a": 2}', True, "a is given more than once", (2, 2)),
        ('{"a": ' + "9" * 5000 + "}", True, "Exceeds the limit", (1, 1)),
        ("a: " + "9" * 5000, False, "Exceeds the limit", (1, 1)),
    ],
    ids=range(11),
)
def test_what_cannot_be_read_is_told_with_its_place(
    text: str, is_json: bool, sentence: str, position: tuple[int, int]
) -> None:
    with pytest.raises(BrokenDocumentError, match=sentence) as broken:
        YamlDocument(text, is_json=is_json)
    assert (broken.value.line, broken.value.column) == position


def test_words_and_times_are_texts_and_numbers_are_numbers() -> None:
    value = YamlDocument("[no, on, 09:00, 2026-01-01, 0x1F, 1e3, 010, 12, -1.5, true, null, ~, '']").value
    assert value == ["no", "on", "09:00", "2026-01-01", "0x1F", "1e3", "010", 12, -1.5, True, None, None, ""]


def test_json_keeps_its_characters_and_its_places() -> None:
    document = YamlDocument('{\n\t"a": "\\ud83d\\ude00/\\/",\n\t"b": {"c": 1}}', is_json=True)
    assert document.value == {"a": "😀//", "b": {"c": 1}}
    assert document.position(("b", "c")) == (3, 13)
