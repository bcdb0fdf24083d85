"""The signals a measure can be read from, by the name a scorecard calls them."""

from collections.abc import Mapping
from types import MappingProxyType

from health_score.domain.signals.base import AnySignal, Signal, read
from health_score.domain.signals.latest import Latest
from health_score.domain.signals.mean import Mean
from health_score.domain.signals.open_items import Open
from health_score.domain.signals.recency import Recency
from health_score.domain.signals.selector import Scalar, Selector
from health_score.domain.signals.total import Count, Sum
from health_score.domain.signals.until import Until

SIGNALS: Mapping[str, type[AnySignal]] = MappingProxyType(
    {
        "count": Count,
        "sum": Sum,
        "mean": Mean,
        "recency": Recency,
        "latest": Latest,
        "open": Open,
        "until": Until,
    }
)

__all__ = [
    "SIGNALS",
    "AnySignal",
    "Count",
    "Latest",
    "Mean",
    "Open",
    "Recency",
    "Scalar",
    "Selector",
    "Signal",
    "Sum",
    "Until",
    "read",
]
