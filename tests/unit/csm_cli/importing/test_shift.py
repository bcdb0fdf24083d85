"""Moving a set to the present: by the newest time that can be read, whatever else is in the files."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.unit.csm_cli.importing.samples import mapping, write_csv

from csm_cli.importing.files import plan
from csm_cli.importing.shift import shift_to
from csm_common.errors import InvalidError
from csm_common.mapping.conversions import Times

NOW = datetime(2026, 3, 2, 9, 0, 0, 500_000, tzinfo=UTC)


def shift(path: Path, limit: int | None = None) -> timedelta:
    bytes_read: list[int] = []
    found = shift_to(NOW, plan([str(path)], mapping()), Times(), limit, bytes_read.append)
    assert limit or sum(bytes_read) == sum(each.stat().st_size for each in path.glob("usage*"))
    return found


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_csv(
        tmp_path / "usage1.csv", "a,2026-02-20T09:00:00+00:00,f,u,1", "a,2026-03-01T10:00:00+01:00,f,u,1"
    )
    write_csv(tmp_path / "usage2.csv", "a,soon,f,u,1", "broken", "a,,f,u,1", "a,2026-01-01,f,u,1")
    return tmp_path


def test_the_newest_time_of_all_files_becomes_now_in_whole_seconds(data: Path) -> None:
    assert shift(data) == timedelta(days=1)


def test_a_limit_leaves_the_rest_out(data: Path) -> None:
    assert shift(data, limit=1) == timedelta(days=10)


def test_a_set_without_times_is_told(tmp_path: Path) -> None:
    write_csv(tmp_path / "usage1.csv", "a,soon,f,u,1")
    with pytest.raises(InvalidError, match="No row has a time that can be read"):
        shift(tmp_path)
