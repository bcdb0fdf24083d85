"""The shipped mappings on the whole data sets, where these are at hand: every row is accounted for, as the docs say."""

import io
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console
from tests.support.clock import START

from csm_cli.importing.options import Options
from csm_cli.importing.run import run_import
from csm_cli.importing.tally import Tally

DATA = Path(__file__).parents[4] / "shared" / "data"


async def dry_run(tmp_path: Path, name: str, limit: int | None = None) -> Tally:
    if not (DATA / name).is_dir():
        pytest.skip(f"the data set {name} is not at {DATA / name}")
    options = Options(
        files=[str(DATA / name)], mapping=name, stack=tmp_path / "stack.json", limit=limit, shift_to_now=True
    )
    result = await run_import(options, None, Console(file=io.StringIO()), lambda: START)
    return result.tally


async def test_cloud_provider_analytics(tmp_path: Path) -> None:
    tally = await dry_run(tmp_path, "cloud_provider_analytics")
    assert {
        name: (each.rows, each.accepted, each.rejected_rows, each.skipped_rows)
        for name, each in tally.sections.items()
    } == {
        "accounts": (80, 80, 0, 0),
        "usage": (43_200, 39_720, 877, 2_603),
        "tickets_opened": (1_000, 1_000, 0, 0),
        "tickets_solved": (1_000, 760, 0, 240),
        "satisfaction": (1_000, 706, 40, 254),
        "invoices": (240, 227, 13, 0),
        "nps": (92, 7, 66, 19),
    }
    reasons = Counter[str]()
    for section in tally.sections.values():
        reasons.update({reason: each.rows for reason, each in section.rejected.items()})
    assert reasons == {
        "missing_value: value": 877,
        "out_of_range: csat": 40,
        "out_of_range: subtotal": 13,
        "out_of_range: nps_score": 66,
    }


async def test_fightchurn_crm5(tmp_path: Path) -> None:
    tally = await dry_run(tmp_path, "fightchurn_crm5", limit=30_000)
    assert (tally.rows, tally.rejected) == (30_000, 0)
    assert tally.sections["accounts"].accepted == 487
    assert tally.sections["plans"].skipped == {"an add-on, not the plan": 6_476}
    assert tally.sections["subscriptions"].accepted == 9_714
