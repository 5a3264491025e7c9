"""The bytes of a text file as UTF-8 in lines, however it is packed and encoded."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from telemetry.sources.piece import SourceError

_GZIP = b"\x1f\x8b"
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_PIECE = 1 << 16
CUT_OFF = (EOFError, zlib.error, gzip.BadGzipFile)
"""What reading gzip data raises that ends early or is wrong."""


class Reads(Protocol):
    """What gives bytes, at most so many at a time; none at its end."""

    def read(self, size: int) -> bytes:
        """The next bytes."""
        ...


@contextmanager
def open_text(path: Path) -> Iterator[Reads]:
    r"""The text of a file as UTF-8 without a byte order mark, each line with a `\n` at its end.

    Reading raises `SourceError` where gzip data or UTF-16 is damaged. That the text is UTF-8
    remains to be checked: see `check_utf8`.
    """
    with open_unpacked(path) as unpacked:
        file = _Undamaged(unpacked)
        start = file.read(4)
        text: Reads = _Resumed(start, file)
        if start.startswith(_UTF_16):
            text = _Recoded(text)
        elif start.startswith(codecs.BOM_UTF8):
            text = _Resumed(start[len(codecs.BOM_UTF8) :], file)
        yield _LineEnds(text)


@contextmanager
def open_unpacked(path: Path) -> Iterator[Reads]:
    """The bytes of a file, unpacked if it is gzip."""
    with path.open("rb") as raw:
        if not is_gzip(raw):
            yield raw
            return
        with gzip.open(raw, "rb") as unpacked:
            yield unpacked


def check_packed(path: Path) -> None:
    """Says so if gzip data is wrong; what only ends early, or has something behind it, is right.

    Its checksum comes last, so that it is unpacked to its end before anything of it is taken.

    Raises:
        SourceError: If it is.
    """
    try:
        with path.open("rb") as raw:
            if is_gzip(raw):
                with gzip.open(raw, "rb") as unpacked:
                    while unpacked.read(_PIECE):
                        pass
    except EOFError:
        return
    except CUT_OFF as error:
        if not str(error).startswith("Not a gzipped file"):
            raise SourceError(f"{path}: {damaged(error)}") from None


def is_gzip(raw: BinaryIO) -> bool:
    """Whether a file is gzip; it is at its beginning again."""
    found = raw.read(len(_GZIP)) == _GZIP
    raw.seek(0)
    return found


def check_utf8(data: bytes, first_line: int) -> None:
    """Says so if bytes are no UTF-8.

    Raises:
        SourceError: With the line, and how to make the file one that can be read, but not its name.
    """
    if data.isascii():
        return
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise SourceError(
            f"line {line} is not UTF-8; if the file is Latin-1 or Windows-1252, convert it first: "
            "iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW-FILE"
        ) from None


class _Resumed:
    """Bytes that were read already, and then the rest."""

    def __init__(self, start: bytes, file: Reads) -> None:
        self._start, self._file = start, file

    def read(self, size: int) -> bytes:
        if self._start:
            start, self._start = self._start, b""
            return start + self._file.read(max(0, size - len(start)))
        return self._file.read(size)


class _Undamaged:
    """Says in a sentence that gzip data is damaged."""

    def __init__(self, file: Reads) -> None:
        self._file = file

    def read(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except CUT_OFF as error:
            raise damaged(error) from None


def damaged(error: Exception) -> SourceError:
    """The sentence about gzip data that ends early or is wrong."""
    return SourceError(
        f"its gzip data is cut off or damaged ({error}); copy the file again and import it once "
        "more: what was read already is not stored twice"
    )


class _Recoded:
    """UTF-16 with a byte order mark as UTF-8."""

    def __init__(self, file: Reads) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-16")()

    def read(self, size: int) -> bytes:
        while True:
            data = self._file.read(size)
            try:
                text = self._decoder.decode(data, final=not data)
                if text or not data:
                    return text.encode()
            except UnicodeError:
                raise SourceError("it begins as UTF-16 and is not; save it as UTF-8") from None


class _LineEnds:
    r"""Every `\r` that stands alone as `\n`: each line ends in one, with `\r` before it or not."""

    def __init__(self, file: Reads) -> None:
        self._file = file
        self._held = b""

    def read(self, size: int) -> bytes:
        data = self._held + self._file.read(size - len(self._held))
        self._held = b""
        if data.endswith(b"\r") and len(data) > 1:
            data, self._held = data[:-1], b"\r"
        if b"\r" in data and _has_lone_return(data):
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data


def _has_lone_return(data: bytes) -> bool:
    r"""Whether a `\r` has no `\n` behind it; in pieces, which stay in the cache."""
    codes = np.frombuffer(data, np.uint8)
    pieces = (codes[start : start + _PIECE + 1] for start in range(0, len(codes), _PIECE))
    alone = any(np.any((piece[:-1] == ord("\r")) & (piece[1:] != ord("\n"))) for piece in pieces)
    return alone or data.endswith(b"\r")
