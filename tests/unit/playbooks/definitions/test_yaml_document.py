"""Where a member stands in a YAML text."""

import pytest

from playbooks.adapters.yaml_document import BrokenDocumentError, YamlDocument

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
