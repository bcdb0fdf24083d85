"""An example for the OpenAPI document: the account of docs/explanations.md, one of each kind of part."""

from typing import Any

EXAMPLE: dict[str, Any] = {
    "text": [
        "acme stands at 61.9 of 100, neutral (50 to under 75), by the scorecard default, version "
        "1, on 2 March 2026, 09:00 UTC.",
        "The sum: 7.143 + 7.143 + 12.143 + 9.524 + 10 + 6.429 + 9.524 = 61.905.",
        "Days since anybody used anything would help most: at 2 it would add 21.429 points. "
        "Healthy is reached at 6.167.",
    ],
    "explanation": {
        "account_id": "acme",
        "at": "2026-03-02T09:00:00Z",
        "scorecard": "default",
        "version": 1,
        "score": 61.904762,
        "computed": 61.904762,
        "capped": 61.904762,
        "band": "neutral",
        "band_from": 50.0,
        "band_below": 75.0,
        "coverage": 0.778261,
        "dimensions": [
            {
                "name": "adoption",
                "weight": 40.0,
                "score": 37.5,
                "full_share": 0.347826,
                "share": 0.380952,
                "earned": 14.285714,
                "missed": 23.809523,
                "measures": [
                    {
                        "name": "usage_recency",
                        "title": "Days since anybody used anything",
                        "unit": "days",
                        "kind": "recency",
                        "weight": 75.0,
                        "value": 14.0,
                        "curve": [
                            [0.0, 100.0],
                            [2.0, 100.0],
                            [7.0, 65.0],
                            [14.0, 25.0],
                            [21.0, 8.0],
                            [30.0, 0.0],
                        ],
                        "segment": {"left": [14.0, 25.0], "right": [21.0, 8.0]},
                        "points": 25.0,
                        "full_share": 0.208696,
                        "share": 0.285714,
                        "earned": 7.142857,
                        "missed": 21.428571,
                        "state": "fresh",
                        "since": None,
                        "expires_at": None,
                        "age_days": 14.0,
                        "events": [
                            {"time": "2026-02-16T09:00:00Z", "id": "use-47", "type": "csm.usage.recorded"}
                        ],
                        "next_band_at": 6.166666714285713,
                        "says": "Days since anybody used anything: the last "
                        "was 14 days ago (between 14 → 25 points "
                        "and 21 → 8 points): 25 of 100 points, "
                        "which brings 7.143 of at most 28.571 "
                        "points of the score.",
                    }
                ],
            }
        ],
        "knockouts": [
            {
                "name": "champion_gone",
                "target": "measure:champions",
                "direction": "below",
                "level": 1.0,
                "value": None,
                "band": "at_risk",
                "highest": 49.99,
                "in_force": False,
                "cost": 0.0,
                "reason": "The champion is gone: nobody inside speaks for us, however much it is used",
            }
        ],
        "overridden": False,
        "override": None,
        "thresholds": [
            {
                "name": "at_risk",
                "target": "score",
                "direction": "below",
                "value": 61.904762,
                "stands": "outside",
                "since": None,
                "enters_at": None,
                "level": 50.0,
                "distance": 11.904761999999998,
                "min_coverage": 0.15,
                "enough_coverage": True,
            }
        ],
        "foreseen": {
            "at": "2026-03-03T03:41:00Z",
            "score": 61.196556,
            "turns": [
                {"kind": "threshold", "name": "usage_falling", "before": "outside", "after": "dwelling"}
            ],
        },
        "helps_most": {
            "measure": "usage_recency",
            "gain": 21.428571,
            "best_at": 2.0,
            "next_band": "healthy",
            "next_band_at": 6.166666714285713,
        },
        "backfilling": False,
    },
    "told": None,
    "since": None,
}
