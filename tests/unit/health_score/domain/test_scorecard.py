"""A scorecard refuses what it could not judge by, and names the place."""

from collections.abc import Callable

import pytest
from tests.unit.health_score.domain.examples import BANDS, LINE

from health_score.domain.scorecard import Band, Dimension, Measure, Scorecard, Target, Threshold
from health_score.domain.signals import Recency, Selector

SIGNAL = Recency(Selector(("csm.usage.recorded",)))
VISITS = Measure("visits", 1, SIGNAL, LINE)
ADOPTION = Dimension("adoption", 1, (VISITS,))


def scorecard(
    *thresholds: Threshold, bands: tuple[Band, ...] = BANDS, dimensions: tuple[Dimension, ...] = (ADOPTION,)
) -> Scorecard:
    return Scorecard("sample", 1, dimensions, bands, thresholds)


def threshold(
    target: str = "score", enter: float = 50, exit: float = 55, direction: str = "below", **more: float
) -> Threshold:
    return Threshold("low", target, enter, exit, direction, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: Measure("Visits!", 1, SIGNAL, LINE), "measure 'Visits!': a name is"),
        (lambda: Measure("visits", -1, SIGNAL, LINE), "measure visits: weight must be 0 or more"),
        (lambda: Measure("visits", 1, SIGNAL, None), "measure visits: a measure with a weight needs a curve"),
        (lambda: Dimension("adoption", 0, (VISITS,)), "dimension adoption: weight must be above 0"),
        (lambda: Dimension("adoption", 1, ()), "dimension adoption: at least one measure"),
        (
            lambda: Dimension("adoption", 1, (Measure("v", 0, SIGNAL, None),)),
            "dimension adoption: at least one measure",
        ),
        (lambda: threshold(enter=50, exit=49), "threshold low: exit must be at enter or above"),
        (
            lambda: threshold(enter=50, exit=51, direction="above"),
            "threshold low: exit must be at enter or below",
        ),
        (lambda: threshold(direction="beside"), "threshold low: direction"),
        (lambda: threshold(enter=float("nan")), "threshold low: enter and exit"),
        (lambda: threshold(dwell_s=-1), "threshold low: dwell"),
        (lambda: threshold(cooldown_s=float("inf")), "threshold low: cooldown"),
        (lambda: threshold(min_coverage=15), "threshold low: min_coverage"),
        (lambda: scorecard(threshold("happiness")), "threshold low: target 'happiness' is none of"),
        (lambda: scorecard(threshold("score:x")), "threshold low: target 'score:x' is none of"),
        (lambda: scorecard(threshold("measure:")), "threshold low: target 'measure:' is none of"),
        (
            lambda: scorecard(threshold("measure:vists")),
            "threshold low: there is no measure 'vists'; there are visits",
        ),
        (
            lambda: scorecard(threshold("dimension:visits")),
            "there is no dimension 'visits'; there are adoption",
        ),
        (lambda: scorecard(threshold(), threshold()), "threshold low: the name is given more than once"),
        (lambda: scorecard(dimensions=()), "at least one dimension"),
        (
            lambda: scorecard(dimensions=(ADOPTION, ADOPTION)),
            "dimension adoption: the name is given more than once",
        ),
        (
            lambda: scorecard(dimensions=(ADOPTION, Dimension("b", 1, (VISITS,)))),
            "measure visits: the name is given",
        ),
        (lambda: scorecard(bands=()), "the lowest band must begin at 0"),
        (lambda: scorecard(bands=(Band("low", 5),)), "the lowest band must begin at 0"),
        (lambda: scorecard(bands=(Band("low", 0), Band("high", 0))), "each must begin above the one before"),
        (lambda: scorecard(bands=(Band("low", 0), Band("high", 0.005))), "by a hundredth at least"),
        (lambda: scorecard(bands=(Band("low", 0), Band("high", 100))), "must begin below 100"),
        (
            lambda: scorecard(bands=(Band("low", 0), Band("low", 50))),
            "band low: the name is given more than once",
        ),
        (lambda: Scorecard("sample", 0, (ADOPTION,), BANDS), "version must be 1 or more"),
        (lambda: Scorecard("", 1, (ADOPTION,), BANDS), "scorecard '': a name is"),
    ],
)
def test_a_card_that_cannot_judge_is_refused_with_its_place(
    build: Callable[[], object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        build()


@pytest.mark.parametrize(
    ("score", "band", "span"),
    [
        (0, "critical", (0, 25)),
        (24.999999, "critical", (0, 25)),
        (25, "at_risk", (25, 50)),
        (50, "neutral", (50, 75)),
        (75, "healthy", (75, float("inf"))),
        (100, "healthy", (75, float("inf"))),
    ],
)
def test_bands_cover_all_scores_without_gaps(score: float, band: str, span: tuple[float, float]) -> None:
    assert scorecard().band(score) == band
    assert scorecard().band_span(score) == span


@pytest.mark.parametrize("text", ["score", "coverage", "dimension:adoption", "measure:visits"])
def test_a_target_names_a_number_of_the_card(text: str) -> None:
    assert scorecard(threshold(text)).thresholds[0].target == text
    assert Target.parse(text) == Target(*text.split(":"))  # type: ignore[arg-type]
