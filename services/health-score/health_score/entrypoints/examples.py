"""Answers of a real run, as examples in the OpenAPI document; a test checks that they are what their models say."""

from typing import Any

ACCOUNT: Any = {
    "account_id": "acme",
    "revision": 4,
    "evaluated_at": "2026-01-01T00:00:00Z",
    "score": 42.38678,
    "band": "at_risk",
    "coverage": 0.6304347826086957,
    "scorecard": {"name": "default", "version": 1},
    "dimensions": {
        "adoption": 51.336061,
        "support": 43.0,
        "satisfaction": 17.5,
        "outcome": None,
        "relationship": None,
        "commercial": None,
    },
    "measures": {
        "usage_recency": 47.85714285714286,
        "usage_volume": 44.0256610384936,
        "seat_use": 69.08321349807619,
        "usage_trend": None,
        "open_tickets": 45.0,
        "escalations": 40.0,
        "nps": 17.5,
        "csat": None,
        "ces": None,
        "goals": None,
        "goals_progress": None,
        "sentiment": None,
        "touchpoint_recency": None,
        "review_recency": None,
        "champions": None,
        "unpaid_invoices": None,
        "days_to_renewal": None,
        "days_to_notice": None,
    },
    "attributes": {
        "tier": "gold",
        "name": "Acme",
        "owner": "dana",
        "team": "emea",
        "segment": "smb",
        "plan": "pro",
        "arr": 48000,
        "currency": "EUR",
        "seats": 20,
        "renewal_date": "2026-03-14",
    },
    "backfilling": False,
    "values": {
        "usage_recency": 10.0,
        "usage_volume": 6.725283302211543,
        "seat_use": 0.45773723927197274,
        "usage_trend": None,
        "open_tickets": 8.0,
        "escalations": 1.0,
        "nps": 3.0,
        "csat": None,
        "ces": None,
        "goals": None,
        "goals_progress": None,
        "sentiment": None,
        "touchpoint_recency": None,
        "review_recency": None,
        "champions": None,
        "unpaid_invoices": None,
        "days_to_renewal": 72.0,
        "days_to_notice": None,
    },
    "computed": 42.38678,
    "caps": [],
    "override": None,
    "frozen": [],
    "thresholds": ["renewal_due", "at_risk", "escalated", "nps_detractor"],
}

PAGE: Any = {
    "accounts": [ACCOUNT | {"change": -45.500057}],
    "next_cursor": "WyJjaGFuZ2UiLCIxODY4MzdlY2NiMWMiLCI3NjM6NzYzOiIsMTc2NjYyMDgwMC4wLC00NS41MDAwNTcsImFjbWUiXQ",
    "total": 2,
}

HEALTH: Any = {
    "account_id": "acme",
    "evaluated_at": "2026-01-01T00:00:00Z",
    "score": 42.38678,
    "band": "at_risk",
    "computed": 42.38678,
    "caps": [],
    "overridden": False,
    "frozen": [],
    "coverage": 0.6304347826086957,
    "scorecard": "default",
    "scorecard_version": 1,
    "dimensions": [
        {
            "name": "adoption",
            "weight": 40.0,
            "score": 51.336061,
            "measures": [
                {
                    "name": "usage_recency",
                    "weight": 75.0,
                    "value": 10.0,
                    "points": 47.85714285714286,
                    "part": 14.357142857142858,
                },
                {
                    "name": "usage_volume",
                    "weight": 25.0,
                    "value": 6.725283302211543,
                    "points": 44.0256610384936,
                    "part": 4.40256610384936,
                },
                {
                    "name": "seat_use",
                    "weight": 25.0,
                    "value": 0.45773723927197274,
                    "points": 69.08321349807619,
                    "part": 6.908321349807619,
                },
                {"name": "usage_trend", "weight": 0.0, "value": None, "points": None, "part": None},
            ],
        },
        {
            "name": "support",
            "weight": 25.0,
            "score": 43.0,
            "measures": [
                {"name": "open_tickets", "weight": 60.0, "value": 8.0, "points": 45.0, "part": 8.4375},
                {"name": "escalations", "weight": 40.0, "value": 1.0, "points": 40.0, "part": 5.0},
            ],
        },
        {
            "name": "satisfaction",
            "weight": 15.0,
            "score": 17.5,
            "measures": [
                {"name": "nps", "weight": 60.0, "value": 3.0, "points": 17.5, "part": 3.28125},
                {"name": "csat", "weight": 40.0, "value": None, "points": None, "part": None},
                {"name": "ces", "weight": 20.0, "value": None, "points": None, "part": None},
            ],
        },
        {
            "name": "outcome",
            "weight": 15.0,
            "score": None,
            "measures": [
                {"name": "goals", "weight": 100.0, "value": None, "points": None, "part": None},
                {"name": "goals_progress", "weight": 0.0, "value": None, "points": None, "part": None},
            ],
        },
        {
            "name": "relationship",
            "weight": 10.0,
            "score": None,
            "measures": [
                {"name": "sentiment", "weight": 50.0, "value": None, "points": None, "part": None},
                {"name": "touchpoint_recency", "weight": 25.0, "value": None, "points": None, "part": None},
                {"name": "review_recency", "weight": 0.0, "value": None, "points": None, "part": None},
                {"name": "champions", "weight": 25.0, "value": None, "points": None, "part": None},
            ],
        },
        {
            "name": "commercial",
            "weight": 10.0,
            "score": None,
            "measures": [
                {"name": "unpaid_invoices", "weight": 100.0, "value": None, "points": None, "part": None},
                {"name": "days_to_renewal", "weight": 0.0, "value": 72.0, "points": None, "part": None},
                {"name": "days_to_notice", "weight": 0.0, "value": None, "points": None, "part": None},
            ],
        },
    ],
    "thresholds": ["renewal_due", "at_risk", "escalated", "nps_detractor"],
    "facts": 16,
    "last_fact_at": "2025-12-29T23:00:00Z",
    "next_change_at": "2026-01-15T13:00:00Z",
    "backfilling": False,
}

STATS: Any = {
    "consumed": 56,
    "folded": 56,
    "outcomes": 0,
    "repeated": 0,
    "conflicting": 0,
    "undecodable": 0,
    "dead_lettered": 0,
    "accounts": 3,
}

FLEET: Any = {
    "as_of": "2026-01-01T00:00:00Z",
    "totals": {
        "accounts": 3,
        "without_score": 0,
        "average": 66.13019,
        "median": 67.546209,
        "coverage": 0.43782608695652175,
        "arr": 370000.0,
        "overrides": 0,
    },
    "bands": [
        {"band": "at_risk", "accounts": 1, "arr": 48000.0},
        {"band": "healthy", "accounts": 1, "arr": 310000.0},
        {"band": "neutral", "accounts": 1, "arr": 12000.0},
    ],
    "buckets": [
        {"low": 0, "high": 10, "accounts": 0},
        {"low": 10, "high": 20, "accounts": 0},
        {"low": 20, "high": 30, "accounts": 0},
        {"low": 30, "high": 40, "accounts": 0},
        {"low": 40, "high": 50, "accounts": 1},
        {"low": 50, "high": 60, "accounts": 0},
        {"low": 60, "high": 70, "accounts": 1},
        {"low": 70, "high": 80, "accounts": 0},
        {"low": 80, "high": 90, "accounts": 1},
        {"low": 90, "high": 100, "accounts": 0},
    ],
    "groups": [
        {
            "by": "segment",
            "groups": [
                {
                    "value": "smb",
                    "totals": {
                        "accounts": 2,
                        "without_score": 0,
                        "average": 54.9664945,
                        "median": 54.9664945,
                        "coverage": 0.5217391304347826,
                        "arr": 60000.0,
                        "overrides": 0,
                    },
                    "bands": [
                        {"band": "at_risk", "accounts": 1, "arr": 48000.0},
                        {"band": "neutral", "accounts": 1, "arr": 12000.0},
                    ],
                },
                {
                    "value": "enterprise",
                    "totals": {
                        "accounts": 1,
                        "without_score": 0,
                        "average": 88.457581,
                        "median": 88.457581,
                        "coverage": 0.27,
                        "arr": 310000.0,
                        "overrides": 0,
                    },
                    "bands": [{"band": "healthy", "accounts": 1, "arr": 310000.0}],
                },
            ],
            "accounts_beyond": 0,
        }
    ],
    "window": {
        "since": "2025-12-25T00:00:00Z",
        "movements": [
            {"before": "healthy", "after": "at_risk", "accounts": 1},
            {"before": "healthy", "after": "neutral", "accounts": 1},
        ],
        "up": [
            {"measure": "open_tickets", "points": 2.8125, "accounts": 1},
            {"measure": "escalations", "points": 1.666667, "accounts": 1},
        ],
        "down": [
            {"measure": "usage_recency", "points": -15.681818, "accounts": 2},
            {"measure": "nps", "points": -7.088068, "accounts": 1},
            {"measure": "seat_use", "points": -2.223517, "accounts": 3},
            {"measure": "usage_volume", "points": -1.562756, "accounts": 2},
        ],
        "changed": 3,
        "sampled": 3,
    },
    "frozen": [],
}

NDJSON = (
    '{"account_id":"acme","attributes":{"name":"Acme"},"score":42.38678,"band":"at_risk"}\n'
    '{"account_id":"globex","attributes":{"name":"Globex"},"score":88.457581,"band":"healthy"}\n'
)

CSV = "account_id,attributes.name,score,band\r\nacme,Acme,42.38678,at_risk\r\nglobex,Globex,88.457581,healthy\r\n"

UNKNOWN: Any = {
    "type": "urn:csm:problem:not_found",
    "title": "not found",
    "status": 404,
    "detail": "No fact about the account 'acne' has been folded yet.",
    "code": "not_found",
    "message": "No fact about the account 'acne' has been folded yet.",
}

INVALID: Any = {
    "type": "urn:csm:problem:invalid",
    "title": "invalid",
    "status": 422,
    "detail": "query.score_min: Input should be less than or equal to 100",
    "code": "invalid",
    "message": "query.score_min: Input should be less than or equal to 100",
    "errors": [{"at": "query.score_min", "message": "Input should be less than or equal to 100"}],
}

REFUSED: Any = {
    "type": "urn:csm:problem:invalid",
    "title": "invalid",
    "status": 400,
    "detail": "There is no field 'scores'; there are account_id, revision, evaluated_at, score, band, coverage, "
    "scorecard, dimensions, measures, attributes, backfilling, values, computed, caps, override, frozen, "
    "change, and names inside them.",
    "code": "invalid",
    "message": "There is no field 'scores'; there are account_id, revision, evaluated_at, score, band, coverage, "
    "scorecard, dimensions, measures, attributes, backfilling, values, computed, caps, override, frozen, "
    "change, and names inside them.",
}

UNAUTHENTICATED: Any = {
    "type": "urn:csm:problem:unauthenticated",
    "title": "unauthenticated",
    "status": 401,
    "detail": "This API key is unknown, expired or revoked.",
    "code": "unauthenticated",
    "message": "This API key is unknown, expired or revoked.",
}

FORBIDDEN: Any = {
    "type": "urn:csm:problem:forbidden",
    "title": "forbidden",
    "status": 403,
    "detail": "This API key lacks the scope health:read.",
    "code": "forbidden",
    "message": "This API key lacks the scope health:read.",
}
