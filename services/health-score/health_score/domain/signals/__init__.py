"""The signals a measure can be read from, by the name a scorecard calls them."""

from collections.abc import Mapping
from types import MappingProxyType

from health_score.domain.signals.active_users import ActiveUsers
from health_score.domain.signals.attainment import Attainment
from health_score.domain.signals.base import AnySignal, Reading, Signal, States, reading
from health_score.domain.signals.keys import key_of
from health_score.domain.signals.latest import Latest
from health_score.domain.signals.mean import Mean
from health_score.domain.signals.open_items import Open
from health_score.domain.signals.ratio import AnyReader, Ratio, bases
from health_score.domain.signals.recency import Recency
from health_score.domain.signals.selector import Between, Other, Scalar, Selector
from health_score.domain.signals.total import Count, Sum
from health_score.domain.signals.trend import Trend
from health_score.domain.signals.until import Until

SIGNALS: Mapping[str, type[AnyReader]] = MappingProxyType(
    {
        "count": Count,
        "sum": Sum,
        "mean": Mean,
        "trend": Trend,
        "active_users": ActiveUsers,
        "recency": Recency,
        "latest": Latest,
        "open": Open,
        "until": Until,
        "attainment": Attainment,
        "ratio": Ratio,
    }
)

__all__ = [
    "SIGNALS",
    "ActiveUsers",
    "AnyReader",
    "AnySignal",
    "Attainment",
    "Between",
    "Count",
    "Latest",
    "Mean",
    "Open",
    "Other",
    "Ratio",
    "Reading",
    "Recency",
    "Scalar",
    "Selector",
    "Signal",
    "States",
    "Sum",
    "Trend",
    "Until",
    "bases",
    "key_of",
    "reading",
]
