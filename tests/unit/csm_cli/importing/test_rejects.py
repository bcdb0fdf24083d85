"""The rejects file holds every rejected row once, also when an import is interrupted and gone on with."""

import json
from pathlib import Path

from csm_cli.importing.rejects import RejectsFile


def written(path: Path) -> list[int]:
    return [json.loads(line)["line"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_what_was_written_behind_the_checkpoint_is_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "rejects.jsonl"
    first = RejectsFile(path, 0)
    first.write(line=1)
    kept = first.flush()
    first.write(line=2)
    first.close()
    second = RejectsFile(path, kept)
    second.write(line=3)
    second.close()
    assert written(path) == [1, 3]


def test_a_new_import_begins_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "rejects.jsonl"
    path.write_text('{"line": 0}\n', encoding="utf-8")
    RejectsFile(path, 0).close()
    assert written(path) == []


def test_a_file_that_was_removed_meanwhile_is_not_filled_with_nothing(tmp_path: Path) -> None:
    again = RejectsFile(tmp_path / "rejects.jsonl", kept_bytes=100)
    again.write(line=1)
    assert again.flush() == len('{"line": 1}\n')
    again.close()
    assert written(again.path) == [1]


def test_rows_that_are_no_text_can_be_kept(tmp_path: Path) -> None:
    file = RejectsFile(tmp_path / "rejects.jsonl", 0)
    file.write(line=1, row=["\udcff", None, 2.5])
    file.close()
    assert json.loads(file.path.read_text(encoding="utf-8"))["row"] == ["\udcff", None, 2.5]
