"""Subscriptions, deliveries and messages as the API's description shows them; tests check that they can be so."""

from typing import Any

_ID = "sub_5f0c9d1b7a3e4f2a6c8d0e1f"
_DELIVERY_ID = "0f5c7b2e-3f0a-5a8e-9a38-7f0d6f1b2c11"
_FILTERS: dict[str, Any] = {
    "events": ["score", "band", "crossing"],
    "min_change": 5.0,
    "bands": ["at_risk", "critical"],
    "thresholds": [],
    "directions": ["entered"],
    "accounts": [],
    "segments": ["enterprise"],
    "plans": [],
    "owners": [],
    "teams": [],
    "where": "account.arr >= 100000",
}

SUBSCRIPTION: dict[str, Any] = {
    "id": _ID,
    "name": "CRM",
    "url": "https://crm.example.com/hooks/health",
    "filters": _FILTERS,
    "include_model_changes": False,
    "attributes": ["name", "segment", "owner"],
    "version": 1,
    "status": "active",
    "created_at": "2026-03-02T09:00:00Z",
    "updated_at": "2026-03-02T09:00:00Z",
    "disabled_at": None,
    "disabled_reason": None,
    "failing_since": None,
    "given_up": 0,
    "waiting": 0,
    "dropped": 0,
}
NEW: dict[str, Any] = {key: SUBSCRIPTION[key] for key in ("name", "url", "filters", "attributes")}
CREATED: dict[str, Any] = SUBSCRIPTION | {"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD4J9bXgOhx1U="}
PAGE: dict[str, Any] = {"subscriptions": [SUBSCRIPTION], "next_cursor": None}
TRIED: dict[str, Any] = {
    "id": "test_5f0c9d1b7a3e4f2a6c8d0e1f",
    "outcome": "accepted",
    "code": 204,
    "duration_ms": 48.1,
    "detail": "crm.example.com answered 204",
    "said": None,
}
ROTATED: dict[str, Any] = {"secret": CREATED["secret"], "old_until": "2026-03-03T09:00:00Z"}

_STANDING: dict[str, Any] = {
    "coverage": 0.7783,
    "dimensions": {"adoption": 41.2, "support": 35.0, "satisfaction": None},
    "scorecard": {"name": "default", "version": 3},
    "attributes": {"name": "Acme", "segment": "enterprise", "owner": "kim"},
    "backfilling": False,
    "revision": 17,
}
SCORE_CHANGED: dict[str, Any] = {
    "type": "health.score_changed",
    "id": _DELIVERY_ID,
    "timestamp": "2026-03-02T09:00:02Z",
    "account_id": "acme",
    "data": {
        "score": {"before": 61.9048, "after": 48.0952},
        "band": {"before": "neutral", "after": "at_risk"},
        "reason": "The score fell by 13.8 points, from 61.9 to 48.1; what moved most: open_tickets 85 → 3.8.",
        "parts": [{"measure": "open_tickets", "before": 85.0, "after": 3.75}],
        "parts_in": "points of the measure",
        **_STANDING,
    },
}
BAND_CHANGED: dict[str, Any] = SCORE_CHANGED | {
    "type": "health.band_changed",
    "data": SCORE_CHANGED["data"]
    | {
        "reason": "The band changed from neutral to at_risk at a score of 48.1; what moved most: open_tickets 85 → 3.8."
    },
}
THRESHOLD_CROSSED: dict[str, Any] = SCORE_CHANGED | {
    "type": "health.threshold_crossed",
    "data": {
        "score": {"before": 61.9048, "after": 48.0952},
        "band": {"before": "neutral", "after": "at_risk"},
        "threshold": {
            "name": "at_risk",
            "direction": "entered",
            "target": "score",
            "level": 50.0,
            "before": 61.9048,
            "after": 48.0952,
        },
        "cause": "facts",
        "reason": "The account entered at_risk by what was heard: score 61.9 → 48.1, its level is 50;"
        " what moved most: open_tickets 12.1 → 0.5.",
        "parts": [{"measure": "open_tickets", "before": 12.1429, "after": 0.5357}],
        "parts_in": "points of the score",
        **_STANDING,
    },
}
MESSAGES = {
    "health.score_changed": SCORE_CHANGED,
    "health.band_changed": BAND_CHANGED,
    "health.threshold_crossed": THRESHOLD_CROSSED,
}

DELIVERY: dict[str, Any] = {
    "id": _DELIVERY_ID,
    "type": "health.score_changed",
    "account_id": "acme",
    "revision": 17,
    "status": "sent",
    "reason": None,
    "created_at": "2026-03-02T09:00:03Z",
    "next_attempt_at": None,
    "finished_at": "2026-03-02T09:00:09Z",
    "attempt_count": 2,
}
DELIVERIES: dict[str, Any] = {"deliveries": [DELIVERY], "next_cursor": None}
DETAIL: dict[str, Any] = DELIVERY | {
    "body": SCORE_CHANGED,
    "attempts": [
        {
            "number": 1,
            "started_at": "2026-03-02T09:00:03Z",
            "duration_ms": 212.4,
            "outcome": "deferred",
            "code": 503,
            "detail": "crm.example.com answered 503",
        },
        {
            "number": 2,
            "started_at": "2026-03-02T09:00:09Z",
            "duration_ms": 50.2,
            "outcome": "accepted",
            "code": 204,
            "detail": "crm.example.com answered 204",
        },
    ],
}
