"""An import goes on where it stood only when everything is as it was; its shift in time outlives that."""

from pathlib import Path

import msgspec
import pytest
from tests.unit.csm_cli.importing.samples import USAGE, mapping, write_csv

from csm_cli.importing.checkpoint import (
    Checkpoint,
    CheckpointFile,
    default_path,
    identity_of,
    starting_point,
)
from csm_cli.importing.files import plan
from csm_cli.importing.tally import Tally
from csm_common.errors import InvalidError


@pytest.fixture
def checkpoint(tmp_path: Path) -> Checkpoint:
    path = write_csv(tmp_path / "usage.csv", "acme,2025-01-01,reports,u1,1")
    identity = identity_of(plan([str(path)], mapping()), limit=None, backfill=True, shifted=True)
    tally = Tally()
    tally.section("usage").accept(3)
    tally.section("usage").reject("out_of_range: amount", "amount is 9")
    tally.section("usage").skip("on purpose")
    return Checkpoint(identity, shift_s=60, rows=5, tally=tally, rejects_bytes=20)


def test_it_is_read_as_it_was_written(tmp_path: Path, checkpoint: Checkpoint) -> None:
    file = CheckpointFile(tmp_path / "deep" / "c.json")
    assert file.read() is None
    file.write(checkpoint)
    assert file.read() == checkpoint


def test_what_is_no_checkpoint_is_told(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InvalidError, match=r"c\.json is not a checkpoint of an import"):
        CheckpointFile(tmp_path / "c.json").read()


def test_an_interrupted_import_goes_on(checkpoint: Checkpoint) -> None:
    assert starting_point(checkpoint, checkpoint.identity) is checkpoint


def test_a_complete_import_begins_anew_with_the_same_shift(checkpoint: Checkpoint) -> None:
    checkpoint.complete = True
    again = starting_point(checkpoint, checkpoint.identity)
    assert (again.rows, again.rejects_bytes, again.shift_s) == (0, 0, 60)
    assert again.tally.rows == 0


def test_a_changed_import_begins_anew_with_the_same_shift(checkpoint: Checkpoint) -> None:
    other = msgspec.structs.replace(checkpoint.identity, backfill=False)
    assert starting_point(checkpoint, other) == Checkpoint(other, shift_s=60)


def test_the_first_import_begins_at_the_beginning(checkpoint: Checkpoint) -> None:
    assert starting_point(None, checkpoint.identity) == Checkpoint(checkpoint.identity)


def test_the_mapping_and_the_files_are_part_of_the_identity(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "usage.csv", "acme,2025-01-01,reports,u1,1")

    def identity(text: str = USAGE) -> object:
        return identity_of(plan([str(path)], mapping(text)), limit=None, backfill=False, shifted=False)

    before = identity()
    assert identity() == before
    assert identity(USAGE.replace("quantity: amount", "quantity: {column: amount, min: 1}")) != before
    write_csv(path, "acme,2025-01-01,reports,u1,2")
    assert identity() != before


def test_each_target_set_and_limit_has_a_checkpoint_of_its_own(tmp_path: Path) -> None:
    def place(
        target: str = "http://a", files: tuple[str, ...] = ("x", "y"), limit: int | None = None
    ) -> Path:
        return default_path(tmp_path, target, files, mapping(), limit)

    assert place() == place(files=("y", "x"))
    assert place().parent == tmp_path / "imports"
    assert len({place(), place("http://b"), place(files=("x",)), place(limit=5)}) == 4
