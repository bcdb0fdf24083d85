"""Files are read to their end whatever stands in them, and each broken row is told with its line."""

import gzip
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from csm_cli.importing.rows import Broken, RowFile
from csm_common.errors import InvalidError


def read(path: Path, format: str = "csv", **options: str) -> list[tuple[int, Any]]:
    with RowFile(path, format=format, **options) as file:
        return [(line, f"{row.error.code}!" if isinstance(row, Broken) else row) for line, row in file.rows()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_csv_rows_come_with_their_lines(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbfa,b\r\n1,"x,\ny"\r\n\r\n2,\r\n')
    with RowFile(path, format="csv") as file:
        assert file.header == ["a", "b"]
        assert list(file.rows()) == [(3, ["1", "x,\ny"]), (5, ["2", ""])]


def test_a_delimiter_can_be_told(path: Path) -> None:
    path.write_text("a;b\n1;2\n", encoding="utf-8")
    assert read(path, delimiter=";") == [(2, ["1", "2"])]


def test_gzip_is_found_by_its_content_not_its_name(path: Path) -> None:
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read(path) == [(2, ["1", "2"])]


def test_a_csv_row_of_another_width_is_broken_and_the_next_is_read(path: Path) -> None:
    path.write_text("a,b\n1\n1,2,3\n1,2\n", encoding="utf-8")
    assert read(path) == [(2, "wrong_number_of_fields!"), (3, "wrong_number_of_fields!"), (4, ["1", "2"])]


def test_a_csv_field_without_end_is_broken_and_the_next_row_is_read(path: Path) -> None:
    path.write_text("a,b\n1," + "x" * 200_000 + "\n1,2\n", encoding="utf-8")
    assert read(path) == [(2, "not_csv!"), (3, ["1", "2"])]


def test_json_lines_that_are_no_objects_are_broken(path: Path) -> None:
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\n\n[1]\n{"a": \n{"a": "\xff"}\n{"a": null}')
    expected = [(1, {"a": 1}), (3, "not_json!"), (4, "not_json!"), (5, "not_json!"), (6, {"a": None})]
    assert read(path, "jsonl") == expected


def test_a_broken_line_is_quoted(path: Path) -> None:
    path.write_text("oops\n", encoding="utf-8")
    with RowFile(path, format="jsonl") as file:
        ((_, broken),) = file.rows()
    assert broken.content == "oops"
    assert "not a JSON object" in broken.error.message
    assert "'oops'" in broken.error.message


def test_a_truncated_gzip_file_gives_its_rows_and_then_tells(path: Path) -> None:
    whole = gzip.compress("".join(f"{number},{number * 7919}\n" for number in range(50_000)).encode())
    path.write_bytes(whole[: len(whole) // 2])
    with RowFile(path, format="csv") as file:
        rows = file.rows()
        assert sum(1 for _ in islice(rows, 1000)) == 1000
        with pytest.raises(InvalidError, match="file is damaged") as told:
            list(rows)
    assert told.value.code == "file_damaged"


def test_a_file_that_only_begins_like_gzip_is_told_at_once(path: Path) -> None:
    path.write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(InvalidError, match="damaged"):
        RowFile(path, format="csv")


def test_how_much_was_read_is_known(path: Path) -> None:
    path.write_text("a\n" + "1\n" * 10, encoding="utf-8")
    with RowFile(path, format="csv") as file:
        list(file.rows())
        assert file.bytes_read == path.stat().st_size
