"""YAML or JSON with the place of every member, so that a mistake can be told by line and column.

YAML is read as its version 1.2 means it, where `no` and `09:00` are texts. Aliases are refused: they let a few bytes stand for
millions.
"""

import json
import re
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

import yaml

Place = Sequence[str | int]

_DEEPEST = 120
"""A step within a step of a playbook takes about five of these."""

_C_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where the wheel has it


class _Loader(_C_LOADER):  # type: ignore[misc]
    """Plain words are texts, but for null, true, false and decimal numbers."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  (as the library declares it)


for _tag, _shape, _first in (
    ("null", r"(?:~|null|)$", ["~", "n", ""]),
    ("bool", r"(?:true|false)$", list("tf")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    ("float", r"[-+]?[0-9]+\.[0-9]*(?:[eE][-+][0-9]+)?$", list("-+0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_shape), _first)

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""What the database cannot keep."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class BrokenDocumentError(ValueError):
    """Not readable, or something is said twice; `line` and `column` count from 1."""

    def __init__(self, sentence: str, line: int = 1, column: int = 1) -> None:
        super().__init__(sentence)
        self.line, self.column = line, column


class YamlDocument:
    """A parsed document; `value` is its plain data."""

    def __init__(self, text: str, *, is_json: bool = False) -> None:
        """BrokenDocumentError where `text` cannot be read."""
        self._text = text
        try:
            self._root: yaml.Node | None = _compose(_like_yaml(text) if is_json else text)
            for key in _repeated(self._root):
                raise BrokenDocumentError(f"{key.value} is given more than once", *_position(key.start_mark))
            self.value: Any = json.loads(text, parse_constant=_refuse) if is_json else _construct(self._root)
        except BrokenDocumentError:
            raise
        except json.JSONDecodeError as broken:
            raise BrokenDocumentError(broken.msg, broken.lineno, broken.colno) from broken
        except yaml.MarkedYAMLError as broken:
            sentence = ", ".join(filter(None, [broken.context, broken.problem]))
            raise BrokenDocumentError(sentence, *_position(broken.problem_mark)) from broken
        except (
            yaml.YAMLError,
            RecursionError,
            ValueError,
        ) as broken:  # a number of thousands of digits, for one
            raise BrokenDocumentError(str(broken).splitlines()[0]) from broken
        for place in _unkeepable(self.value, ()):
            told = "there is a character or a number in it that cannot be kept"
            raise BrokenDocumentError(told, *self.position(place))

    def position(self, place: Place, character: int | None = None) -> tuple[int, int]:
        """Line and column, from 1, of the member at `place`, or of the nearest one around it that the document has; of a
        `character` (from 1) of its text where it is written in one line and just as it reads."""
        node = self._root
        for member in place:
            inner = _member(node, member)
            if inner is None:
                break
            node = inner
        if node is None:
            return 1, 1
        line, column = _position(node.start_mark)
        return line, column + self._shift(node, character)

    def _shift(self, node: yaml.Node, character: int | None) -> int:
        if character is None or not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
            return 0
        quote = 1 if node.style else 0
        start = node.start_mark.index + quote
        before = node.value[: character - 1]
        return quote + len(before) if self._text[start : start + len(before)] == before else 0

    def key_position(self, place: Place) -> tuple[int, int]:
        """Of the name of the member rather than of what it holds."""
        node = self._root
        for member in place[:-1]:
            node = _member(node, member)
        if isinstance(node, yaml.MappingNode):
            for key, _ in node.value:
                if str(key.value) == str(place[-1]):
                    return _position(key.start_mark)
        return self.position(place)


def _compose(text: str) -> yaml.Node | None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.AliasEvent):
            _broken(f"aliases such as *{event.anchor} are not understood: write it out", event.start_mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            _broken("no document is nested so deeply", event.start_mark)
    root: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    return root


def _broken(problem: str, mark: Any) -> None:
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _construct(root: yaml.Node | None) -> Any:
    if root is None:
        return None
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(root)
    except ValueError as broken:
        raise yaml.MarkedYAMLError(problem=str(broken), problem_mark=root.start_mark) from broken
    finally:
        loader.dispose()


def _like_yaml(text: str) -> str:
    """JSON as YAML has it, of the same length: without tabs, and without halves of characters."""
    return _SURROGATE.sub(r"\\u0020", text.replace("\t", " "))


def _refuse(constant: str) -> None:
    raise BrokenDocumentError(f"{constant} is no number")


def _position(mark: Any) -> tuple[int, int]:
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _member(node: yaml.Node | None, name: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if str(key.value) == str(name)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(name, int) and name < len(node.value):
        found: yaml.Node = node.value[name]
        return found
    return None


def _repeated(node: yaml.Node | None) -> Iterator[yaml.ScalarNode]:
    """Keys that their mapping had before: a plain loader would quietly keep the last one."""
    if isinstance(node, yaml.MappingNode):
        known: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                _broken("the name of a member must be a word", key.start_mark)
            elif key.value in known:
                yield key
            known.add(str(key.value))
            yield from _repeated(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            yield from _repeated(each)


def _unkeepable(value: Any, place: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    """Texts and numbers that cannot be kept; of a name, the place of its mapping."""
    if (isinstance(value, str) and _NO_TEXT.search(value)) or (
        isinstance(value, float) and not isfinite(value)
    ):
        yield place
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _unkeepable(name, place)
            yield from _unkeepable(inner, (*place, str(name)))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unkeepable(inner, (*place, index))
