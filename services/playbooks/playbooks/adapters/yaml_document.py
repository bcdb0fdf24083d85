"""YAML with the place of every member, so that a mistake can be told by line and column."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

Place = Sequence[str | int]


class BrokenDocumentError(ValueError):
    """Not YAML, or YAML that says a thing twice; `line` and `column` count from 1."""

    def __init__(self, sentence: str, mark: yaml.Mark | None) -> None:
        super().__init__(sentence)
        self.line, self.column = _position(mark)


class YamlDocument:
    """A parsed document; `value` is its plain data."""

    def __init__(self, text: str) -> None:
        """BrokenDocumentError where `text` cannot be read."""
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            self.value: Any = yaml.safe_load(text)
        except yaml.MarkedYAMLError as broken:
            raise BrokenDocumentError(str(broken.problem or broken), broken.problem_mark) from broken
        except yaml.YAMLError as broken:
            raise BrokenDocumentError(str(broken), None) from broken
        self._root: yaml.Node | None = root
        for key in _repeated(root):
            raise BrokenDocumentError(f"{key.value} is given more than once", key.start_mark)

    def position(self, place: Place) -> tuple[int, int]:
        """Line and column, from 1, of the member at `place`, or of the nearest one around it that the document has."""
        node = self._root
        for member in place:
            inner = _member(node, member)
            if inner is None:
                break
            node = inner
        return _position(node.start_mark if node else None)


def _position(mark: yaml.Mark | None) -> tuple[int, int]:
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _member(node: yaml.Node | None, name: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == name), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(name, int) and name < len(node.value):
        found: yaml.Node = node.value[name]
        return found
    return None


def _repeated(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Keys that their mapping had before: a plain loader would quietly keep the last one."""
    if isinstance(node, yaml.MappingNode):
        known: set[str] = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in known:
                yield key
            known.add(str(key.value))
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _repeated(each)
