"""Text in blocks of whole rows, each with the number of its first line."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from telemetry.sources.opening import Reads

BLOCK_BYTES = 1 << 20
"""What pyarrow parses at once: with more, memory is slower than the parser (3.5 M rows/s at 1 MB,
1.2 M at 4 MB, measured)."""
LONGEST_LINE = 16 << 20
SHOWN_BYTES = 1 << 20
_KEPT_OF_A_LONGER = 200
_PIECE = 1 << 16  # what the cache holds
_QUOTE = b'"'

Lines = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    r"""Whole rows of a text.

    Attributes:
        data: Each line ends in `\n` or `\r\n`.
        first_line: The number of its first line, from 1.
    """

    data: bytes
    first_line: int

    def numbered(self) -> Lines:
        """The numbers of its lines that are not empty, in order."""
        starts, ends = self._bounds()
        return np.flatnonzero(ends > starts) + self.first_line

    def line(self, number: int) -> str:
        """The text of a line."""
        return self.texts(np.array([number]))[0]

    def texts(self, numbers: Lines) -> list[str]:
        """The texts of lines, of each at most the first `SHOWN_BYTES`."""
        starts, ends = self._bounds()
        places = numbers - self.first_line
        bounds = zip(starts[places].tolist(), ends[places].tolist(), strict=True)
        return [
            self.data[start : min(end, start + SHOWN_BYTES)].decode(errors="replace")
            for start, end in bounds
        ]

    def _bounds(self) -> tuple[Lines, Lines]:
        """Where each line starts, and where it ends before what ends it."""
        codes = np.frombuffer(self.data, np.uint8)
        ends = np.flatnonzero(codes == ord("\n"))
        starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])[: len(ends)]
        return starts, np.where((ends > starts) & (codes[ends - 1] == ord("\r")), ends - 1, ends)

    def after(self, lines: int) -> "Block":
        """The block without its first lines."""
        at = 0
        for _ in range(lines):
            at = self.data.index(b"\n", at) + 1
        return Block(self.data[at:], self.first_line + lines)


def read_blocks(text: Reads) -> Iterator[Block]:
    """The blocks of a text; no quotation marks are open at the end of one, if it can be helped.

    A mark that is not closed within `BLOCK_BYTES` counts as one that means nothing. Of a line
    beyond `LONGEST_LINE` only the beginning is kept, without anything that parts cells.

    Raises:
        SourceError: If the text cannot be read any further.
    """
    line, rest = 1, b""
    while data := text.read(BLOCK_BYTES):
        end = _end_of_rows(rest, data)
        if end:
            block = Block(b"".join([rest, memoryview(data)[:end]]), line)
            yield block
            line += count_lines(block.data)
            rest = data[end:]
            continue
        rest += data
        if len(rest) > LONGEST_LINE:
            rest = _skip_line(text, rest)
    if rest:
        yield Block(rest if rest.endswith(b"\n") else rest + b"\n", line)


def _end_of_rows(rest: bytes, data: bytes) -> int:
    """Where in `data` the last whole row ends; 0 if none does."""
    end = data.rfind(b"\n") + 1
    quoted = _QUOTE in data or _QUOTE in rest  # far faster than counting none
    anyhow = len(rest) > BLOCK_BYTES
    if anyhow or not quoted or (rest.count(_QUOTE) + data.count(_QUOTE, 0, end)) % 2 == 0:
        return end
    mark = data.rfind(_QUOTE, 0, end)
    return data.rfind(b"\n", 0, mark) + 1 if mark >= 0 else 0


def count_lines(data: bytes) -> int:
    """How many lines end in these bytes."""
    codes = np.frombuffer(data, np.uint8)
    pieces = (codes[start : start + _PIECE] for start in range(0, len(codes), _PIECE))
    return sum(int(np.count_nonzero(piece == ord("\n"))) for piece in pieces)


def _skip_line(text: Reads, start: bytes) -> bytes:
    """The rest of the text after a line without end, the beginning of that line before it."""
    kept = start[:_KEPT_OF_A_LONGER].decode(errors="ignore")
    shown = "".join(one if one.isalnum() else " " for one in kept).encode()
    while data := text.read(BLOCK_BYTES):
        end = data.find(b"\n")
        if end >= 0:
            return shown + data[end:]
    return shown
