"""Examples for the OpenAPI document: a change as histories and the feed tell it, and a stretch of a chart."""

from typing import Any

_CHANGE: dict[str, Any] = {
    "account_id": "acme",
    "revision": 7,
    "known_at": "2026-03-02T09:00:02Z",
    "event_at": "2026-03-02T08:59:58Z",
    "cause": "facts",
    "fact_ids": ["9449fc43-8659-4bef-8a2d-dbd233fa1761"],
    "scorecard": "default",
    "version": 1,
    "score_before": 61.904762,
    "score": 48.095238,
    "computed": 48.095238,
    "band_before": "neutral",
    "band": "at_risk",
    "coverage": 0.778261,
}
_MOVED: dict[str, Any] = {
    "name": "open_tickets",
    "value_before": 2.0,
    "value_after": 34.0,
    "points_before": 85.0,
    "points_after": 3.75,
    "part_before": 12.142857,
    "part_after": 0.535714,
    "moved": -11.607143,
}
_MODEL_CHANGE: dict[str, Any] = {
    "number": 4,
    "kind": "activate",
    "name": "default",
    "version": 2,
    "since": None,
    "actor": "kim",
    "note": "Weigh goals more",
    "outreach": False,
    "at": "2026-03-01T10:00:00Z",
}

CHANGES: dict[str, Any] = {
    "changes": [{**_CHANGE, "moved": [_MOVED], "by_model": False}],
    "model_changes": [_MODEL_CHANGE],
    "next_cursor": None,
}
CHART: dict[str, Any] = {
    "buckets": [
        {
            "start": "2026-03-02T00:00:00Z",
            "end": "2026-03-03T00:00:00Z",
            "score": 48.095238,
            "band": "at_risk",
            "least": 48.095238,
            "greatest": 61.904762,
            "mean": 53.273810,
            "changes": 1,
            "by_model": False,
            "scorecard": "default",
            "version": 1,
        }
    ],
    "model_changes": [_MODEL_CHANGE],
}
FEED: dict[str, Any] = {
    "changes": [
        {
            "cursor": "WzkxMiwiYWNtZSIsN10",
            "kind": "change",
            "account_id": "acme",
            "revision": 7,
            "change": _CHANGE,
        },
        {
            "cursor": "WzkxNSwib2xkIiwzXQ",
            "kind": "erased",
            "account_id": "old",
            "revision": 3,
            "change": None,
        },
    ],
    "cursor": "WzkyMCwiIiwtMV0",
    "more": False,
}
