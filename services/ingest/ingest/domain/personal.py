"""Rules against personal data: what of a fact's data is kept, hashed or dropped before the fact goes on the log.

Almost no fact holds any, and every fact is looked at: so the names with a rule are one set, the names of a level of data are
compared with it in one go, and only what is nested is walked.
"""

import hashlib
import hmac
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["allow", "hash", "drop"]

HASHED = "hmac-sha256:"
"""How a hashed value begins; one that begins so is not hashed again."""

PERSONAL = (
    "email", "e_mail", "email_address", "mail", "phone", "phone_number", "telephone", "mobile", "mobile_phone", "fax",
    "first_name", "last_name", "given_name", "family_name", "middle_name", "maiden_name", "full_name", "surname",
    "address", "street", "street_address", "postal_address", "home_address", "ip", "ip_address", "remote_addr",
    "password", "passwd", "passphrase", "ssn", "social_security_number", "passport", "passport_number",
    "birthday", "birthdate", "birth_date", "date_of_birth", "dob",
    "credit_card", "credit_card_number", "card_number", "cvc", "cvv", "iban",
)  # fmt: skip
"""Names that are dropped wherever they stand, unless a rule says otherwise. `name` is none of them: an account has one."""

_GONE: Any = object()
_NESTED = frozenset((dict, list))
_type = type


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What becomes of a field. `field` is a name, met at any depth and in any usual spelling (first_name, firstName …), or
    with a dot the path from the top of the data, as it is written. `types` are event types, none for all."""

    field: str
    action: Action
    types: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is known of a type's data: the fields that hold one plain value, and, where the type is `closed`, the only fields
    that are taken. Of a closed type only rules speak that name it."""

    plain: frozenset[str]
    closed: frozenset[str] | None = None


_ANY_SHAPE = Shape(plain=frozenset())


@dataclass(frozen=True, slots=True)
class _Path:
    """The names from here down to a field, and what becomes of it."""

    names: tuple[str, ...]
    action: Action


@dataclass(frozen=True, slots=True)
class _Rules:
    """The rules for one type. `harmless` are names at the top that neither have a rule nor hold anything nested; `taken` are
    all names there that stay, `fixed` those that no rule touches, where the type is closed."""

    names: Mapping[str, Action]
    telling: frozenset[str]
    harmless: frozenset[str]
    paths: tuple[_Path, ...]
    taken: frozenset[str] | None
    fixed: frozenset[str]


class PersonalData:
    """The rules, ready for use. Where several speak of one field, a path goes before a name, a rule with types before one
    without, and the later one before the earlier; the defaults come last."""

    def __init__(
        self,
        rules: Sequence[Rule] = (),
        *,
        secret: bytes | None = None,
        defaults: Iterable[str] = PERSONAL,
        shapes: Mapping[str, Shape] | None = None,
    ) -> None:
        """`secret` keys the hashes. ValueError where a rule hashes and there is none."""
        if secret is None and any(rule.action == "hash" for rule in rules):
            raise ValueError("a rule hashes, and there is no secret to hash with")
        self._secret = secret or b""
        base = [Rule(field=name, action="drop") for name in defaults]
        known = shapes or {}
        types = {*known, *(name for rule in rules for name in rule.types)}
        self._rules = tuple(rules)
        self._general = _compiled(base, rules, None, _ANY_SHAPE)
        self._by_type = {name: _compiled(base, rules, name, known.get(name, _ANY_SHAPE)) for name in types}

    def apply(self, type: str, data: dict[str, Any]) -> dict[str, Any]:
        """The data of a fact of this type as the rules leave it: the very same object where they leave it as it is."""
        rules = self._by_type.get(type, self._general)
        if rules.harmless.issuperset(data):
            return data
        if rules.taken is not None:
            return self._closed(data, rules, rules.taken)
        if (
            not rules.paths
            and rules.telling.isdisjoint(data)
            and _NESTED.isdisjoint(map(_type, data.values()))
        ):
            return data
        return self._object(data, rules, rules.paths)

    def unwanted(self, type: str) -> frozenset[str]:
        """The names at the top of a type's data that rules drop, not counting the defaults: nobody is to hold them anywhere."""
        own = [
            rule for rule in self._rules if "." not in rule.field and (not rule.types or type in rule.types)
        ]
        actions: dict[str, Action] = {}
        for rule in sorted(own, key=lambda rule: bool(rule.types)):
            actions |= dict.fromkeys(spellings(rule.field), rule.action)
        return frozenset(name for name, action in actions.items() if action == "drop")

    def _closed(self, data: dict[str, Any], rules: _Rules, taken: Collection[str]) -> dict[str, Any]:
        fixed = {name: value for name, value in data.items() if name in rules.fixed}
        rest = {name: value for name, value in data.items() if name in taken and name not in fixed}
        kept = fixed | self._object(rest, rules, rules.paths)
        return data if kept == data else kept

    def _object(self, data: dict[str, Any], rules: _Rules, paths: Collection[_Path]) -> dict[str, Any]:
        changed: dict[str, Any] = {}
        for name, value in data.items():
            below = [_Path(path.names[1:], path.action) for path in paths if path.names[0] == name]
            told = next((path.action for path in below if not path.names), None)
            action = told or rules.names.get(name)
            kept = self._value(value, action, rules, [path for path in below if path.names])
            if kept is not value:
                changed[name] = kept
        if not changed:
            return data
        return {name: value for name, value in (data | changed).items() if value is not _GONE}

    def _value(self, value: Any, action: Action | None, rules: _Rules, paths: Collection[_Path]) -> Any:
        if action == "drop":
            return _GONE
        if action == "hash":
            return self._hashed(value)
        if type(value) is dict:
            return self._object(value, rules, paths)
        if type(value) is list:
            kept = [self._value(each, None, rules, paths) for each in value]
            return value if all(new is old for new, old in zip(kept, value, strict=True)) else kept
        return value

    def _hashed(self, value: Any) -> Any:
        if value is None or (isinstance(value, str) and value.startswith(HASHED)):
            return value
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))
        return (
            HASHED + hmac.new(self._secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        )


def _compiled(defaults: Sequence[Rule], rules: Sequence[Rule], type_: str | None, shape: Shape) -> _Rules:
    general = [rule for rule in rules if not rule.types]
    own = [rule for rule in rules if type_ in rule.types]
    names: dict[str, Action] = {}
    paths: dict[tuple[str, ...], Action] = {}
    for rule in (*defaults, *general, *own):
        if "." in rule.field:
            paths[tuple(rule.field.split("."))] = rule.action
        else:
            names |= dict.fromkeys(spellings(rule.field), rule.action)
    telling = frozenset(name for name, action in names.items() if action != "allow")
    told = _top_names(own)
    fixed = (shape.closed or frozenset()) - told
    return _Rules(
        names,
        telling,
        shape.plain - (told if shape.closed else telling) - {path[0] for path in paths},
        tuple(_Path(path, action) for path, action in paths.items()),
        None if shape.closed is None else shape.closed | told,
        fixed,
    )


def _top_names(rules: Iterable[Rule]) -> frozenset[str]:
    """The names at the top of the data that rules speak of."""
    fields = (rule.field.partition(".") for rule in rules)
    return frozenset(name for first, dot, _ in fields for name in ((first,) if dot else spellings(first)))


def spellings(name: str) -> set[str]:
    """The usual ways to write a name of words, and the name as it is.

    >>> "firstName" in spellings("first_name"), "E-Mail" in spellings("e_mail")
    (True, True)
    """
    words = name.replace("-", "_").replace(" ", "_").lower().split("_")
    titles = [word.capitalize() for word in words]
    found = {name, words[0] + "".join(titles[1:]), "".join(titles)}
    for mark in ("", "_", "-", " "):
        lower = mark.join(words)
        found |= {lower, lower.upper(), lower.capitalize(), mark.join(titles)}
    return found
