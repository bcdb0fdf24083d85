"""Finds the files of an import and pairs them with the sections of the mapping that read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import glob, has_magic
from hashlib import sha256
from pathlib import Path

from csm_cli.importing.mapping import Mapping, Section
from csm_common.errors import InvalidError

HEAD_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class FileMark:
    """What a file is recognised by when an import is resumed or repeated: `head` is a hash of its beginning."""

    path: str
    size: int
    head: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One section reading one file, from its first row to its last."""

    section: Section
    path: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything an import will read, in order: sections as in the mapping, the files of each by path."""

    mapping: Mapping
    readings: tuple[Reading, ...]
    left_out: tuple[Path, ...]

    @property
    def files(self) -> list[Path]:
        """The files that are read, each once."""
        return sorted({each.path for each in self.readings})

    def marks(self) -> list[FileMark]:
        """What the files look like now."""
        return [mark(each) for each in self.files]


def plan(arguments: Sequence[str], mapping: Mapping) -> Plan:
    """Pairs the files, directories and globs with the sections.

    InvalidError when one is not there, when a file named on its own fits no section, or when nothing fits.
    """
    found = {each: _expand(each) for each in arguments}
    files = sorted({path for paths in found.values() for path in paths})
    readings = tuple(
        Reading(section, path) for section in mapping.sections for path in files if _fits(section, path)
    )
    left_out = tuple(each for each in files if not any(each == reading.path for reading in readings))
    for argument, paths in found.items():
        if all(each in left_out for each in paths):
            raise InvalidError(_nothing_fits(argument, mapping), code="no_section")
    return Plan(mapping, readings, left_out)


def mark(path: Path) -> FileMark:
    """How the file is recognised later."""
    with path.open("rb") as file:
        head = sha256(file.read(HEAD_BYTES)).hexdigest()
    return FileMark(str(path), path.stat().st_size, head)


def _expand(argument: str) -> list[Path]:
    path = Path(argument).expanduser().absolute()
    if path.is_dir():
        return sorted(each for each in path.rglob("*") if each.is_file())
    if path.is_file():
        return [path]
    matches = glob(str(path), recursive=True) if has_magic(argument) else []
    if not matches:
        raise InvalidError(f"There is no file {argument}.", code="file_unknown")
    return sorted(Path(each) for each in matches if Path(each).is_file())


def _fits(section: Section, path: Path) -> bool:
    name = path.name.removesuffix(".gz")
    return any(fnmatchcase(name, each.removesuffix(".gz")) for each in section.files)


def _nothing_fits(argument: str, mapping: Mapping) -> str:
    patterns = ", ".join(dict.fromkeys(pattern for each in mapping.sections for pattern in each.files))
    return f"The mapping {mapping.name} has no section for {argument}; its sections read {patterns}."
