"""Files, directories and globs are paired with the sections that read them; what fits nothing is told."""

from pathlib import Path

import pytest
from tests.unit.csm_cli.importing.samples import USAGE, mapping, write_csv

from csm_cli.importing.files import mark, plan
from csm_common.errors import InvalidError

TWO_SECTIONS = USAGE + USAGE.split("sections:")[1].replace("name: usage", "name: again")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("usage_b.csv", "usage_a.csv", "deep/usage_c.csv.gz", "notes.txt"):
        write_csv(tmp_path / name)
    return tmp_path


def names(*arguments: str | Path, text: str = USAGE) -> list[str]:
    found = plan([str(each) for each in arguments], mapping(text))
    return [f"{each.section.name}:{each.path.name}" for each in found.readings]


def test_a_directory_is_searched_and_sorted(data: Path) -> None:
    found = plan([str(data)], mapping())
    assert [each.path.name for each in found.readings] == ["usage_c.csv.gz", "usage_a.csv", "usage_b.csv"]
    assert [each.name for each in found.left_out] == ["notes.txt"]


def test_a_glob_is_expanded(data: Path) -> None:
    assert names(data / "usage_*.csv") == ["usage:usage_a.csv", "usage:usage_b.csv"]


def test_a_file_named_twice_is_read_once(data: Path) -> None:
    assert names(data / "usage_a.csv", data / "usage_*") == ["usage:usage_a.csv", "usage:usage_b.csv"]


def test_sections_are_read_in_the_order_of_the_mapping(data: Path) -> None:
    assert names(data / "usage_*", text=TWO_SECTIONS) == [
        "usage:usage_a.csv",
        "usage:usage_b.csv",
        "again:usage_a.csv",
        "again:usage_b.csv",
    ]


@pytest.mark.parametrize(
    ("argument", "told"),
    [
        ("absent.csv", "There is no file .*absent.csv"),
        ("*.parquet", "There is no file"),
        ("notes.txt", r"The mapping sample has no section for .*notes.txt; its sections read usage\*\.csv"),
    ],
)
def test_what_cannot_be_read_is_told(data: Path, argument: str, told: str) -> None:
    with pytest.raises(InvalidError, match=told):
        names(data / "usage_a.csv", data / argument)


def test_a_file_is_recognised_by_path_size_and_head(data: Path) -> None:
    path = data / "usage_a.csv"
    before = mark(path)
    assert mark(path) == before
    write_csv(path, "acme,2025-01-01,reports,u1,1")
    assert mark(path) != before
    assert mark(data / "usage_b.csv").head == before.head
