"""What the documents say of the worked account is what the service says."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from fastapi import FastAPI
from tests.unit.health_score.telling.worked import worked

from health_score.application.explaining import HealthExplanation
from health_score.application.told import ChangePage, ChartPage
from health_score.application.words import told
from health_score.entrypoints.changes import ChangesPage, create_changes_router
from health_score.entrypoints.explain import create_explain_router
from health_score.entrypoints.explain_example import EXAMPLE
from health_score.entrypoints.history import create_history_router
from health_score.entrypoints.told_examples import CHANGES, CHART, FEED

DOCUMENT = (Path(__file__).parents[4] / "docs/explanations.md").read_text(encoding="utf-8")


def test_the_pencil_of_the_document_is_right() -> None:
    found = worked()
    assert found.measures[0].says in DOCUMENT
    [sums] = [each for each in told(found) if each.startswith("The sum: ")]
    assert sums.removeprefix("The sum: ") in DOCUMENT
    rows = [line.split(" | ") for line in DOCUMENT.splitlines() if line.startswith("| ")]
    table = {cells[0].removeprefix("| "): cells[1:] for cells in rows}
    for each in found.measures:
        if each.share is not None:
            _, points, full_share, share, earned = table[each.name]
            assert float(points) == each.points
            assert float(full_share) == each.full_share
            assert float(share) == each.share
            assert float(earned.removesuffix(" |")) == pytest.approx(each.earned, abs=5e-4)


def test_the_example_of_the_openapi_document_has_the_shape_and_the_numbers() -> None:
    example = msgspec.convert(EXAMPLE, HealthExplanation)
    found = worked()
    assert example.explanation.computed == found.computed
    [shown], real = example.explanation.measures, found.measures[0]
    assert shown.says == real.says
    assert (shown.share, shown.earned, shown.next_band_at) == (real.share, real.earned, real.next_band_at)
    assert {*example.text} <= {*told(found)}


@pytest.mark.parametrize(
    ("example", "shape"),
    [(CHANGES, ChangePage), (CHART, ChartPage), (FEED, ChangesPage)],
    ids=["raw", "chart", "feed"],
)
def test_the_other_examples_have_the_shapes_of_the_answers(example: dict[str, Any], shape: type) -> None:
    assert msgspec.json.decode(msgspec.json.encode(msgspec.convert(example, shape))) == example


def test_the_openapi_document_has_the_examples() -> None:
    unused: Any = None
    app = FastAPI()
    for router in (
        create_explain_router(unused, unused),
        create_history_router(unused, unused, unused),
        create_changes_router(unused),
    ):
        app.include_router(router)
    paths = app.openapi()["paths"]
    told_of = {path: each["get"]["responses"]["200"]["content"] for path, each in paths.items()}
    assert (
        told_of["/v1/accounts/{account_id}/health/explain"]["application/json"]["example"]["text"]
        == EXAMPLE["text"]
    )
    assert {*told_of["/v1/accounts/{account_id}/history"]["application/json"]["examples"]} == {"raw", "chart"}
    assert {*told_of["/v1/changes"]} == {"application/json", "text/event-stream"}
