"""The words of ours that no library knows, in the languages that are shipped: names of measures and bands, days near today."""

from collections.abc import Mapping

NOTHING = "–"
_ABBREVIATIONS = frozenset({"api", "arr", "ces", "csat", "mrr", "nps", "sla"})

_GERMAN = {
    # bands
    "critical": "kritisch",
    "at_risk": "gefährdet",
    "neutral": "neutral",
    "healthy": "gesund",
    # dimensions
    "adoption": "Nutzung",
    "commercial": "Vertrag und Zahlung",
    "outcome": "Ergebnisse",
    "relationship": "Beziehung",
    "satisfaction": "Zufriedenheit",
    "support": "Support",
    # measures
    "ces": "CES",
    "champions": "Fürsprecher",
    "csat": "CSAT",
    "days_to_go_live": "Tage bis zum Start",
    "days_to_notice": "Tage bis zur Kündigungsfrist",
    "days_to_renewal": "Tage bis zur Verlängerung",
    "escalations": "Eskalationen",
    "feature_breadth": "Breite der Nutzung",
    "goals": "Ziele",
    "goals_progress": "Fortschritt der Ziele",
    "last_nps": "letzter NPS",
    "nps": "NPS",
    "open_tickets": "offene Tickets",
    "review_recency": "letztes Review",
    "seat_use": "Auslastung der Lizenzen",
    "sentiment": "Stimmung",
    "touchpoint_recency": "letzter Kontakt",
    "unpaid_invoices": "offene Rechnungen",
    "usage_recency": "letzte Nutzung",
    "usage_trend": "Trend der Nutzung",
    "usage_volume": "Umfang der Nutzung",
}  # fmt: skip

_NAMES: Mapping[str, Mapping[str, str]] = {"de": _GERMAN}
_NEAR_DAYS: Mapping[str, Mapping[int, str]] = {
    "en": {-1: "yesterday", 0: "today", 1: "tomorrow"},
    "de": {-1: "gestern", 0: "heute", 1: "morgen"},
}


def words(name: str | None, language: str = "en") -> str:
    """A name of ours (`open_tickets`, `nps`) as it stands in a sentence of that language; one that nobody translated as it is."""
    if not name:
        return NOTHING
    known = _NAMES.get(language, {}).get(name)
    return known or " ".join(each.upper() if each in _ABBREVIATIONS else each for each in name.split("_"))


def heading(name: str | None, language: str = "en") -> str:
    """The same with a capital."""
    text = words(name, language)
    return text[:1].upper() + text[1:]


def near_day(days: int, language: str = "en") -> str | None:
    """The word for yesterday, today and tomorrow; None for days further away and for languages that nobody translated."""
    return _NEAR_DAYS.get(language, {}).get(days)
