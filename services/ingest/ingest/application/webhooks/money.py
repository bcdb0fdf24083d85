"""Money as vendors tell it: in the smallest unit of its currency."""

from typing import Any

from ingest.application.webhooks.fields import text

# Stripe's lists. ISK and UGX have no minor unit any more and are told in hundredths all the same.
_WITHOUT_MINOR_UNIT = frozenset(
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"]
)
_IN_THOUSANDTHS = frozenset(["BHD", "JOD", "KWD", "OMR", "TND"])


def currency_code(told: Any) -> str | None:
    """As ISO 4217 writes it.

    >>> currency_code("eur")
    'EUR'
    """
    code = text(told)
    return code.upper() if code else None


def major_units(amount: float | None, currency: Any) -> float | None:
    """An amount in units of the currency, to four places.

    >>> major_units(1999.0, "eur"), major_units(1999.0, "jpy"), major_units(1999.0, "kwd")
    (19.99, 1999.0, 1.999)
    """
    if amount is None:
        return None
    code = currency_code(currency)
    parts = 1 if code in _WITHOUT_MINOR_UNIT else 1000 if code in _IN_THOUSANDTHS else 100
    return round(amount / parts, 4)
