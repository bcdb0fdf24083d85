"""What the status of an HTTP answer means for a message."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from notifier.domain.delivery import Answer

_LATER = frozenset({408, 425, 429})
_TELLS_WHEN = frozenset({429, 502, 503, 504})
_GONE = 410
_LONGEST_PAUSE = timedelta(days=365)  # more is nonsense; what is waited for at most is decided elsewhere


def by_status(host: str, status: int, headers: Mapping[str, str], now: datetime) -> Answer:
    """2xx is accepted; 408, 425, 429 and 5xx are worth another try, the latter by the endpoint's fault; all else is refused."""
    told = f"{host} answered {status}"
    if 200 <= status < 300:
        return Answer("accepted", told, status)
    if status in _LATER or status >= 500:
        pause = _pause(headers.get("retry-after"), now) if status in _TELLS_WHEN else None
        return Answer("deferred", told, status, fault=status >= 500, retry_after=pause)
    if 300 <= status < 400:
        return Answer("refused", f"{told}: redirects are not followed; set the URL it leads to", status)
    return Answer("refused", told, status, gone=status == _GONE)


def _pause(told: str | None, now: datetime) -> timedelta | None:
    """Of a Retry-After in seconds or as a date (RFC 9110, 10.2.3); None where it is neither."""
    if told is None:
        return None
    try:
        if told.strip().isdecimal():
            return min(timedelta(seconds=min(int(told[:20]), 10**9)), _LONGEST_PAUSE)
        date = parsedate_to_datetime(told)
        return min((date if date.tzinfo else date.replace(tzinfo=UTC)) - now, _LONGEST_PAUSE)
    except (ValueError, OverflowError):
        return None
