"""YAML with the place of every member, so that a mistake in an operator's file can be told by line and column."""

from collections.abc import Iterator, Sequence
from typing import Any

import yaml


class BrokenYamlError(ValueError):
    """Not readable, or something is said twice; `line` and `column` count from 1."""

    def __init__(self, sentence: str, line: int = 1, column: int = 1) -> None:
        super().__init__(sentence)
        self.line, self.column = line, column


class PlacedYaml:
    """A parsed document; `value` is its plain data."""

    def __init__(self, text: str) -> None:
        """BrokenYamlError where `text` cannot be read."""
        try:
            self._root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
            for key in _repeated(self._root):
                raise BrokenYamlError(f"{key.value} is given more than once", *_position(key.start_mark))
            self.value: Any = yaml.safe_load(text)
        except yaml.MarkedYAMLError as broken:
            sentence = ", ".join(filter(None, [broken.context, broken.problem]))
            raise BrokenYamlError(sentence, *_position(broken.problem_mark)) from broken
        except (yaml.YAMLError, RecursionError) as broken:
            raise BrokenYamlError(str(broken).splitlines()[0]) from broken

    def position(self, place: Sequence[str | int], *, of_name: bool = False) -> tuple[int, int]:
        """Line and column of the member at `place`, or of its name; of the nearest one around it that the document has."""
        node, mark = self._root, self._root.start_mark if self._root else None
        for member in place:
            name, value = _member(node, member)
            if value is None:
                break
            node, mark = value, name.start_mark if of_name and name else value.start_mark
        return _position(mark)


def _position(mark: Any) -> tuple[int, int]:
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _member(node: yaml.Node | None, member: str | int) -> tuple[yaml.Node | None, yaml.Node | None]:
    if isinstance(node, yaml.MappingNode):
        named = (pair for pair in node.value if str(pair[0].value) == str(member))
        return next(named, (None, None))
    if isinstance(node, yaml.SequenceNode) and isinstance(member, int) and member < len(node.value):
        return None, node.value[member]
    return None, None


def _repeated(node: yaml.Node | None) -> Iterator[yaml.Node]:
    """Keys that their mapping had before: a plain loader would quietly keep the last one."""
    if isinstance(node, yaml.MappingNode):
        known: set[str] = set()
        for key, value in node.value:
            if str(key.value) in known:
                yield key
            known.add(str(key.value))
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _repeated(each)
