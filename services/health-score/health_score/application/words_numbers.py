"""Numbers and times as people read them, with digits enough to repeat a sum."""

from datetime import datetime


def figure(number: float, digits: int = 3) -> str:
    """1,234.5 for 1234.5; at most so many decimals, and three significant digits of what is smaller than those show."""
    if 0.0 < abs(number) < 10.0**-digits:
        return f"{number:.3g}"
    told = f"{number:,.{digits}f}"
    told = told.rstrip("0").rstrip(".") if "." in told else told
    return "0" if told == "-0" else told


def percent(share: float) -> str:
    """37.5 % for 0.375."""
    return f"{figure(share * 100.0, 2)} %"


def signed(number: float) -> str:
    """With its sign, so that a loss and a gain are told apart."""
    return f"+{figure(number)}" if number > 0.0 else f"\N{MINUS SIGN}{figure(-number)}"


def day(time: datetime) -> str:
    """2 March 2026, 09:00 UTC."""
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def listed(words: list[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)
