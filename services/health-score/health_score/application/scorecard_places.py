"""A YAML or JSON text with the place of everything in it, so that a mistake can be told by path, line and column."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

Location = Sequence[str | int | float | bool | None]
"""The keys from the outside in; what the text does not have is passed over."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where the wheel has it
_DEEPEST = 50
_LIKE_JSON = re.compile(r"true|false|-?\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong and what to do, where: `path` is a JSON pointer (RFC 6901), `line` and `column` count from 1."""

    path: str
    line: int
    column: int
    message: str


class UnreadableError(ValueError):
    """No YAML at all, or YAML that says a thing twice."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__(mistakes[0].message)
        self.mistakes = mistakes


class PlacedDocument:
    """A parsed text; `value` is its plain data."""

    def __init__(self, text: str, *, json: bool = False) -> None:
        """UnreadableError where `text` cannot be read. In JSON every key is quoted, so those like a number are read as one."""
        try:
            text = text.replace("\t", " ") if json else text  # which YAML has no place for
            _refuse_traps(text)
            self._root = yaml.compose(text, Loader=_LOADER)
            if json:
                _unquote_keys(self._root)
            twice = list(_repeated(self._root))
            self.value: Any = None if self._root is None or twice else _construct(self._root)
        except yaml.MarkedYAMLError as broken:
            sentence = ", ".join(filter(None, [broken.context, broken.problem]))
            raise UnreadableError(
                [_mistake("", broken.problem_mark, f"not readable: {sentence}")]
            ) from broken
        except (yaml.YAMLError, ValueError, RecursionError) as broken:
            raise UnreadableError([_mistake("", None, f"not readable: {broken}")]) from broken
        if twice:
            told = "{} is given more than once: keep one"
            raise UnreadableError([_mistake(p, key.start_mark, told.format(key.value)) for p, key in twice])

    def mistake(self, location: Location, message: str) -> Mistake:
        """A mistake at a member, or at the nearest one around it that the text has."""
        keys, mark = self._walk(location)
        return _mistake(_pointer(keys), mark, message)

    def mistake_at_key(self, location: Location, message: str) -> Mistake:
        """A mistake in the last key itself."""
        keys, mark = self._walk(location, to_key=True)
        return _mistake(_pointer(keys), mark, message)

    def missing(self, location: Location, message: str) -> Mistake:
        """A mistake of what is not there but should be: the last key is no longer part of the text."""
        keys, mark = self._walk(location[:-1])
        return _mistake(_pointer([*keys, location[-1]]), mark, message)

    def has(self, location: Location, key: str) -> bool:
        """Whether the member at a location is a mapping with this key."""
        keys, _ = self._walk([*location, key])
        return bool(keys) and keys[-1] == key and len(keys) > len(self._walk(location)[0])

    def _walk(self, location: Location, *, to_key: bool = False) -> tuple[list[Any], yaml.Mark | None]:
        """The keys of the location that the text has, and where the last of them is."""
        node, mark, keys = self._root, None if self._root is None else self._root.start_mark, []
        for each in location:
            found = _member(node, each)
            if found is not None:
                key, node = found
                keys.append(key.value if isinstance(key, yaml.ScalarNode) else each)
                later = key is not None and node.start_mark.line > key.start_mark.line
                mark = key.start_mark if key is not None and (later or to_key) else node.start_mark
        return keys, mark


def _construct(root: yaml.Node) -> Any:
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _member(node: yaml.Node | None, name: Any) -> tuple[yaml.Node | None, yaml.Node] | None:
    """The key and the value of a mapping's member, or an item of a list."""
    if isinstance(node, yaml.MappingNode):
        return next(((key, value) for key, value in node.value if _same(key, name)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(name, int) and 0 <= name < len(node.value):
        return None, node.value[name]
    return None


def _same(key: yaml.Node, name: Any) -> bool:
    if not isinstance(key, yaml.ScalarNode):
        return False
    if key.value == name or key.value == str(name):
        return True
    if key.tag.endswith(":bool"):
        truth = key.value.lower() in ("true", "yes", "on")
        return name in (truth, str(truth))
    try:
        return float(key.value) == float(name)
    except (TypeError, ValueError):
        return False


def _repeated(node: yaml.Node | None, path: tuple[Any, ...] = ()) -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Keys that their mapping had before: a plain loader would quietly keep the last one."""
    if isinstance(node, yaml.MappingNode):
        known: set[str | float] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key must be a word or a number", problem_mark=key.start_mark
                )
            inside = (*path, key.value)
            meant = _meant(key)
            if meant in known:
                yield _pointer(inside), key
            known.add(meant)
            yield from _repeated(value, inside)
    elif isinstance(node, yaml.SequenceNode):
        for at, each in enumerate(node.value):
            yield from _repeated(each, (*path, at))


def _meant(key: yaml.ScalarNode) -> str | float:
    """What a key is read as, as far as two of them can be the same: 0 and 0.0 are."""
    try:
        return float(key.value) if key.tag.endswith((":int", ":float")) else str(key.value)
    except ValueError:
        return str(key.value)


def _unquote_keys(node: yaml.Node | None) -> None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and _LIKE_JSON.fullmatch(key.value):
                key.tag = f"tag:yaml.org,2002:{_kind(key.value)}"
            _unquote_keys(value)
    elif isinstance(node, yaml.SequenceNode):
        for each in node.value:
            _unquote_keys(each)


def _kind(text: str) -> str:
    if text in ("true", "false"):
        return "bool"
    return "float" if "." in text else "int"


def _refuse_traps(text: str) -> None:
    """Aliases let a few bytes stand for millions; what is nested without end would exhaust the parser."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        mark: Any = event.start_mark
        if isinstance(event, yaml.AliasEvent):
            problem = f"aliases such as *{event.anchor} are not understood: write it out"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise yaml.MarkedYAMLError(problem="no scorecard is nested so deeply", problem_mark=mark)


def _pointer(keys: Sequence[Any]) -> str:
    return "".join("/" + str(each).replace("~", "~0").replace("/", "~1") for each in keys)


def _mistake(path: str, mark: yaml.Mark | None, message: str) -> Mistake:
    line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
    return Mistake(path, line, column, message)
