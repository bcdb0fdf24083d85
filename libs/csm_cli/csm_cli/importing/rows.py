"""Reads event files row by row: CSV and JSON Lines, gzipped or not. A broken row is told, and reading goes on behind it."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Self, cast

import msgspec

from csm_common.errors import InvalidError
from csm_common.mapping.conditions import Row
from csm_common.mapping.rejection import RejectedRowError, shown

GZIP_MAGIC = b"\x1f\x8b"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_decode_object = msgspec.json.Decoder(dict[str, Any]).decode


class Broken(NamedTuple):
    """What stands in the file where a row should be, and why it is none."""

    content: Any
    error: RejectedRowError


NumberedRow = tuple[int, Row | Broken]


class RowFile:
    """An open event file. `header` is the first line of a CSV file, None for JSONL."""

    def __init__(self, path: Path, *, format: str, delimiter: str = ",") -> None:
        self._path = path
        self._raw = path.open("rb")
        self._taken = 0
        self._content = _unpacked(self._raw)
        self._text: io.TextIOWrapper | None = None
        self.header: list[str] | None = None
        try:
            with self._damage_told():
                self._rows = self._jsonl() if format == "jsonl" else self._csv(delimiter)
        except InvalidError:
            self._close()
            raise

    @property
    def bytes_read(self) -> int:
        """How much of the file on disk was taken in so far."""
        return self._taken if self._raw.closed else self._raw.tell()

    def rows(self) -> Iterator[NumberedRow]:
        """Line numbers with rows, or with the reason why there is none. InvalidError when the rest cannot be read."""
        try:
            yield from self._rows
        except (EOFError, gzip.BadGzipFile, OSError) as error:
            raise InvalidError(
                f"{self._path} is damaged, the rest cannot be read: {error}", code="file_damaged"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        self._taken = self.bytes_read
        self._content.close()
        self._raw.close()

    def _jsonl(self) -> Iterator[NumberedRow]:
        for number, line in enumerate(self._content, 1):
            if line.isspace():
                continue
            try:
                yield number, _decode_object(line.removeprefix(BYTE_ORDER_MARK))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                text = line.decode(errors="replace").rstrip()
                sentence = f"the line is not a JSON object: {error}; it begins {shown(text[:40])}"
                yield number, Broken(text, RejectedRowError("not_json", sentence))

    def _csv(self, delimiter: str) -> Iterator[NumberedRow]:
        # Undecodable bytes pass as surrogates, so that one row is rejected for them and not the whole file.
        self._text = io.TextIOWrapper(
            self._content, encoding="utf-8-sig", errors="surrogateescape", newline=""
        )
        reader = csv.reader(self._text, delimiter=delimiter)
        self.header = next(reader, [])
        return self._csv_rows(reader, len(self.header))

    def _csv_rows(self, reader: Any, width: int) -> Iterator[NumberedRow]:
        while True:
            try:
                for row in reader:
                    if len(row) == width:
                        yield reader.line_num, row
                    elif row:
                        sentence = f"the row has {len(row)} fields, the header {width}"
                        yield (
                            reader.line_num,
                            Broken(row, RejectedRowError("wrong_number_of_fields", sentence)),
                        )
                return
            except csv.Error as error:
                sentence = f"the row is not CSV: {error}; perhaps a quote is not closed"
                yield reader.line_num, Broken(None, RejectedRowError("not_csv", sentence))

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except (EOFError, OSError, zlib.error) as error:
            sentence = f"{self._path} is damaged, the rest of it cannot be read: {error}"
            raise InvalidError(sentence, code="file_damaged") from error


def _unpacked(raw: BinaryIO) -> BinaryIO:
    packed = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
    raw.seek(0)
    return cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw
