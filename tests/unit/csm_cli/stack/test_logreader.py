"""A log is read while it grows, without losing a line or showing one twice."""

from pathlib import Path

from csm_cli.stack.logreader import LogReader


def test_the_last_lines_then_only_new_ones(tmp_path: Path) -> None:
    log = tmp_path / "ingest.log"
    log.write_text("one\ntwo\n\nthree\n", encoding="utf-8")
    reader = LogReader(log)

    assert reader.last(2) == ["two", "three"]
    assert reader.fresh() == []
    with log.open("a", encoding="utf-8") as file:
        file.write("four\nfi")
    assert reader.fresh() == ["four"]
    with log.open("a", encoding="utf-8") as file:
        file.write("ve\n")
    assert reader.fresh() == ["five"]


def test_no_past_lines_when_none_are_wanted(tmp_path: Path) -> None:
    log = tmp_path / "ingest.log"
    log.write_text("one\n", encoding="utf-8")
    reader = LogReader(log)

    assert reader.last(0) == []
    assert reader.fresh() == []


def test_a_long_log_is_not_read_whole(tmp_path: Path) -> None:
    log = tmp_path / "ingest.log"
    log.write_text("".join(f"line {number:>100}\n" for number in range(5000)), encoding="utf-8")

    assert [line.split()[1] for line in LogReader(log).last(3)] == ["4997", "4998", "4999"]


def test_a_log_begun_anew_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "ingest.log"
    reader = LogReader(log)
    assert reader.last(5) == []
    log.write_text("a long line of the run before\n", encoding="utf-8")
    assert reader.fresh() == ["a long line of the run before"]

    log.unlink()
    assert reader.fresh() == []
    log.write_text("new\n", encoding="utf-8")

    assert reader.fresh() == ["new"]
