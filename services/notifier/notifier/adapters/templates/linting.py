"""What is wrong with a document's texts, told before it is kept. Runs in the child process, for even compiling may not end."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from notifier.adapters.templates.press import Document, Press, RefusedError
from notifier.domain.template_fields import ANY, LAYOUT, Shape, with_fields

Place = tuple[str | int, ...]
Found = dict[str, Any]
"""A mistake: `place` in the document, `line` in the text there, `near` a word to look for in that line, and the sentence."""

_SINGLE = ("subject", "lead", "text", "html")
_LISTS = ("steps", "paragraphs")
_LOADING = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)


def lint(press: Press, document: Document, samples: Mapping[str, Mapping[str, Any]]) -> list[Found]:
    """Every mistake in the texts; where there is none, those that show in trial renderings with each of the samples."""
    found = [each for place, source in sources(document) for each in _read(press, document, place, source)]
    if document["kind"] == "partial":
        return found
    return found or [*_tried(press, document, samples)]


def sources(document: Document) -> Iterator[tuple[Place, str]]:
    """Every text of a document that is a template, with its place."""
    for place, holder in [((), document), *((("locales", k), v) for k, v in document["locales"].items())]:
        for name in _SINGLE:
            if holder.get(name):
                yield (*place, name), holder[name]
        for name in _LISTS:
            for at, each in enumerate(holder.get(name) or ()):
                yield (*place, name, at), each
    for at, attachment in enumerate(document.get("attachments") or ()):
        for name in ("name", "body"):
            yield ("attachments", at, name), attachment[name]


def _read(press: Press, document: Document, place: Place, source: str) -> Iterator[Found]:
    environment = press.environment(html=place[-1] == "html")
    try:
        tree = environment.parse(source)
        environment.compile(tree)
    except TemplateSyntaxError as error:
        near = _quoted(error.message or "")
        yield _found(place, error.lineno, _syntax(environment, error.message or "it cannot be read"), near)
        return
    except TemplateError as error:
        yield _found(place, 1, str(error))
        return
    yield from _loads(press, tree, place)
    yield from _names(document, tree, place)


def _syntax(environment: ImmutableSandboxedEnvironment, message: str) -> str:
    if not message.startswith("No filter named"):
        return message
    name = _quoted(message)
    return f"there is no filter {name}{_meant(name, environment.filters)}"


def _loads(press: Press, tree: nodes.Template, place: Place) -> Iterator[Found]:
    for node in tree.find_all(_LOADING):
        name = getattr(getattr(node, "template", None), "value", None)
        if not isinstance(name, str):
            yield _found(place, node.lineno, "a partial is named by a plain text in quotes")
        elif name not in press.partials:
            told = f"there is no partial {name}{_meant(name, press.partials)}"
            yield _found(place, node.lineno, told, name)


def _names(document: Document, tree: nodes.Template, place: Place) -> Iterator[Found]:
    known: dict[str, Shape] = with_fields(document.get("fields") or {})
    known |= LAYOUT
    if document["kind"] == "partial":
        known["words"] = ANY
    undeclared = meta.find_undeclared_variables(tree)
    for node in tree.find_all(nodes.Name):
        if node.ctx == "load" and node.name in undeclared and node.name not in {*known, "range", "namespace"}:
            told = f"there is no variable {node.name}{_meant(node.name, known)}"
            yield _found(place, node.lineno, told, node.name)
    yield from _members(tree, {name: shape for name, shape in known.items() if name in undeclared}, place)


def _members(node: nodes.Node, known: Mapping[str, Shape], place: Place) -> Iterator[Found]:
    """Members that what they are asked of does not have; the elements of a known list are known in its loop."""
    inner = dict(known)
    if isinstance(node, nodes.For) and isinstance(node.target, nodes.Name):
        shape = _shape(node.iter, known)
        inner[node.target.name] = shape["*"] if shape and "*" in shape else ANY
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        yield from _member(node, known, place)
    for each in node.iter_child_nodes():
        yield from _members(each, inner, place)


def _member(node: nodes.Getattr | nodes.Getitem, known: Mapping[str, Shape], place: Place) -> Iterator[Found]:
    name = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
    of = _shape(node.node, known)
    if not isinstance(name, str) or of is ANY or (of and "*" in of):
        return
    if of is None or name not in of:
        path = f"{_path(node.node)}.{name}"
        hint = _meant(name, of or ()) if of else ": there are no members"
        yield _found(place, node.lineno, f"there is no field {path}{hint}", name)


def _shape(node: nodes.Node, known: Mapping[str, Shape]) -> Shape:
    """What an expression is; ANY where that cannot be told."""
    match node:
        case nodes.Name():
            return known.get(node.name, ANY)
        case nodes.Getattr():
            of = _shape(node.node, known)
            return of.get(node.attr, ANY) if of else ANY
        case nodes.Getitem():
            of = _shape(node.node, known)
            if of and "*" in of:
                return of if isinstance(node.arg, nodes.Slice) else of["*"]
            return of.get(str(getattr(node.arg, "value", "")), ANY) if of else ANY
    return ANY


def _path(node: nodes.Node) -> str:
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{_path(node.node)}.{node.attr}"
    return "…"


def _tried(press: Press, document: Document, samples: Mapping[str, Mapping[str, Any]]) -> Iterator[Found]:
    for locale in document["locales"]:
        for name, variables in samples.items():
            try:
                words = press.trial(document, locale, variables)
            except (
                RefusedError,
                TemplateError,
                ArithmeticError,
                LookupError,
                TypeError,
                ValueError,
            ) as error:
                yield _found(("locales", locale), 0, f"with the {name} sample: {error}")
                continue
            yield from _said(locale, name, words)


def _said(locale: str, sample: str, words: Mapping[str, Any]) -> Iterator[Found]:
    """What a reader would stumble over."""
    if not words["subject"]:
        yield _found(("locales", locale, "subject"), 0, f"with the {sample} sample there is no subject")
    if not words["text"].strip():
        yield _found(("locales", locale), 0, f"with the {sample} sample there is no text")
    if "None" in words["subject"] + words["text"]:
        told = f"with the {sample} sample it says None: ask first whether the field is none"
        yield _found(("locales", locale), 0, told, "None")


def _found(place: Place, line: int, message: str, near: str = "") -> Found:
    return {"place": place, "line": line, "message": message, "near": near}


def _quoted(message: str) -> str:
    parts = message.split("'")
    return parts[1] if len(parts) > 2 else ""


def _meant(name: str, known: Sequence[str] | Mapping[str, Any]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known)[:20])}"
