"""Persons and companies in Intercom's items, in the shapes of its old and new API."""

from typing import Any

from ingest.application.webhooks.fields import look, objects, text

_PERSON_TYPES = ("user", "contact", "lead", "visitor")


def person_in(item: dict[str, Any]) -> dict[str, Any]:
    """The person an item is about: itself, its user or contact, or the first of its contacts."""
    if item.get("type") in _PERSON_TYPES:
        return item
    people = [item.get("user"), item.get("contact")]
    people += objects(item, "contacts", "contacts") + objects(item, "contacts", "data")
    return next((each for each in people if isinstance(each, dict) and text(each.get("id"))), {})


def names_of(person: dict[str, Any]) -> tuple[str, ...]:
    """The id that the product gave the person, which its SDK sends, too; then Intercom's own."""
    own, intercom = _own_id(person), text(person.get("id"))
    return tuple(each for each in (own, f"intercom:{intercom}" if intercom else None) if each)


def company_of(item: dict[str, Any], person: dict[str, Any], key: str) -> str | None:
    """The company that an item tells of, by its `company_id` or `id`: its own, else the only one of its person.

    None where there are several: a wrong account is worse than one that is not known yet.
    """
    told = text(look(item, "company", key))
    if told is not None:
        return told
    companies = objects(person, "companies", "companies") + objects(person, "companies", "data")
    ids = {text(each.get(key)) for each in companies}
    return ids.pop() if len(ids) == 1 else None


def _own_id(person: dict[str, Any]) -> str | None:
    """A lead's is invented by Intercom, and becomes another when the lead signs up."""
    if person.get("type") == "user":
        return text(person.get("user_id")) or text(person.get("external_id"))
    return None if person.get("role") == "lead" else text(person.get("external_id"))
