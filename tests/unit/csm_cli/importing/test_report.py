"""What a person reads at the end: exact sums, and every reason with its rows and an example."""

import io

from rich.console import Console

from csm_cli.importing.report import Bar, once, reasons, summary
from csm_cli.importing.tally import Tally


def tally() -> Tally:
    found = Tally()
    section = found.section("usage")
    section.accept(1200)
    for value in (21, 34):
        section.reject("out_of_range: score", f"score is {value}")
    section.skip("no answer")
    found.section("tickets").accept(5)
    return found


def printed(thing: object) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=120)
    console.print(thing)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]


def test_the_summary_adds_up() -> None:
    assert printed(summary(tally())) == [
        ["usage", "1,203", "1,200", "2", "1"],
        ["tickets", "5", "5", "0", "0"],
        ["all", "1,208", "1,205", "2", "1"],
    ]


def test_each_reason_has_its_rows_and_an_example() -> None:
    table = reasons(tally())
    assert table
    assert printed(table) == [
        ["usage", "out_of_range: score", "2", "score is 21"],
        ["usage", "skipped", "1", "no answer"],
    ]


def test_nothing_to_tell_is_nothing_told() -> None:
    clean = Tally()
    clean.section("usage").accept(1)
    assert reasons(clean) is None


def test_a_sentence_is_not_repeated() -> None:
    said: list[str] = []
    say = once(said.append)
    for sentence in ("away", "away", "slow", "away"):
        say(sentence)
    assert said == ["away", "slow", "away"]


def test_the_bar_shows_how_the_rows_fared() -> None:
    console = Console(file=io.StringIO(), width=160)
    with Bar(console, "importing", 1000) as bar:
        bar.advance(0, Tally())
        bar.note("waiting")
        bar.grow(10)
        bar.advance(500, tally())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "waiting" in text
    assert "50%" in text
    assert "1,205 accepted, 2 rejected" in text


def test_the_bar_of_a_limited_import_counts_rows() -> None:
    console = Console(file=io.StringIO(), width=160)
    with Bar(console, "importing", 1_000_000, limit=2416) as bar:
        bar.advance(10, tally())
    assert "50%" in console.file.getvalue()  # type: ignore[attr-defined]
