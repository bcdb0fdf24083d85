"""Where an import stands, in a file that is replaced after each acknowledged batch; a killed import goes on from there."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import msgspec

from csm_cli.importing.files import FileMark, Plan
from csm_cli.importing.mapping import Mapping
from csm_cli.importing.tally import Tally
from csm_common.errors import InvalidError


class Identity(msgspec.Struct, frozen=True):
    """What must be the same for an import to be gone on with: the mapping's digest, the files, and the options."""

    mapping: str
    files: tuple[FileMark, ...]
    limit: int | None
    backfill: bool
    shifted: bool


class Checkpoint(msgspec.Struct):
    """Every one of the first `rows` rows is acknowledged, rejected or skipped, and `tally` is the account of them.

    `shift_s` moves the set to the present, in seconds. It is chosen once and kept as long as this file.
    """

    identity: Identity
    shift_s: int | None = None
    rows: int = 0
    tally: Tally = msgspec.field(default_factory=Tally)
    rejects_bytes: int = 0
    complete: bool = False


class CheckpointFile:
    """The checkpoint of one set of files, one mapping and one target."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Checkpoint | None:
        """What the last run left; InvalidError when the file is not a checkpoint."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Checkpoint)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError as error:
            raise InvalidError(
                f"{self.path} is not a checkpoint of an import ({error}); remove it or name another.",
                code="checkpoint_invalid",
            ) from error

    def write(self, checkpoint: Checkpoint) -> None:
        """Replace the file in one step. No fsync: after a power cut an older state only means that more is sent again."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(checkpoint))
        draft.replace(self.path)


def default_path(
    home: Path, target: str, arguments: Sequence[str], mapping: Mapping, limit: int | None
) -> Path:
    """The checkpoint's place for these files, this mapping and this target."""
    places = sorted(str(Path(each).expanduser().absolute()) for each in arguments)
    digest = sha256("\n".join([target, str(limit), *places]).encode()).hexdigest()[:12]
    return home / "imports" / f"{mapping.name}-{digest}.json"


def identity_of(plan: Plan, *, limit: int | None, backfill: bool, shifted: bool) -> Identity:
    """The identity of an import that is about to start."""
    digest = sha256(plan.mapping.model_dump_json().encode()).hexdigest()
    return Identity(digest, tuple(plan.marks()), limit, backfill, shifted)


def starting_point(found: Checkpoint | None, identity: Identity) -> Checkpoint:
    """Where to start: where an interrupted run of the same import stood, else at the beginning; the shift is kept."""
    if found is None:
        return Checkpoint(identity)
    if found.complete or found.identity != identity:
        return Checkpoint(identity, shift_s=found.shift_s)
    return found
