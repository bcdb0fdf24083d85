"""What a Stripe subscription is worth a month, from its items."""

from math import ceil, floor
from typing import Any

from ingest.application.webhooks.fields import look, number, objects, text
from ingest.application.webhooks.money import major_units

_MONTHS = {"day": 12 / 365, "week": 7 * 12 / 365, "month": 1.0, "year": 12.0}


def monthly_revenue(subscription: dict[str, Any]) -> float | None:
    """MRR in units of the currency, before discounts and tax: what licensed items cost, brought to a month.

    Metered items count for nothing, since what they will cost is not known. None where a price is not told: tiers, or
    items that did not fit into the event.
    """
    if look(subscription, "items", "has_more") is True:
        return None
    amounts = [_monthly(each) for each in _items(subscription)]
    if not amounts or None in amounts:
        return None
    currency = subscription.get("currency") or _price(_items(subscription)[0]).get("currency")
    total = major_units(sum(each for each in amounts if each is not None), currency)
    return None if total is None else round(total, 2)


def plan_name(subscription: dict[str, Any]) -> str | None:
    """The first item's price by the name people gave it, else by its id."""
    price = _price(next(iter(_items(subscription)), {}))
    return text(price.get("nickname")) or text(price.get("lookup_key")) or text(price.get("id"))


def first_seats(subscription: dict[str, Any]) -> float | None:
    """How many of the first item were bought."""
    return number(next(iter(_items(subscription)), {}).get("quantity"))


def _items(subscription: dict[str, Any]) -> list[dict[str, Any]]:
    items = objects(subscription, "items", "data")
    return items or ([subscription] if isinstance(subscription.get("plan"), dict) else [])


def _price(item: dict[str, Any]) -> dict[str, Any]:
    """A price, or the older plan in its place."""
    told = item.get("price") or item.get("plan")
    return told if isinstance(told, dict) else {}


def _monthly(item: dict[str, Any]) -> float | None:
    price = _price(item)
    recurring = price.get("recurring") or price
    if look(recurring, "usage_type") == "metered":
        return 0.0
    unit = _unit_amount(price)
    months = _MONTHS.get(str(look(recurring, "interval")))
    count = number(look(recurring, "interval_count")) or 1.0
    quantity = number(item.get("quantity"))
    if unit is None or months is None or count < 1:
        return None
    return unit * _packages(1.0 if quantity is None else quantity, price) / (months * count)


def _unit_amount(price: dict[str, Any]) -> float | None:
    """In the smallest unit; parts of it are told as text only."""
    for name in ("unit_amount", "amount"):
        whole = number(price.get(name))
        if whole is not None:
            return whole
    fine = text(price.get("unit_amount_decimal")) or text(price.get("amount_decimal")) or ""
    try:
        return number(float(fine))
    except ValueError:
        return None


def _packages(quantity: float, price: dict[str, Any]) -> float:
    """How many packages the quantity is, where a price is for a package of several; what was sold is at least one."""
    size = number(look(price, "transform_quantity", "divide_by"))
    if not size or size < 1 or quantity <= 0:
        return quantity
    whole = floor if look(price, "transform_quantity", "round") == "down" else ceil
    return float(max(1, whole(quantity / size)))
