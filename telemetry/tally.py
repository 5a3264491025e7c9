"""What an export holds, counted while it passes: rows, flags, times, bytes, and their hash."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from telemetry.exact import Ints
from telemetry.export import Subject
from telemetry.reading import Flag, flag_names
from telemetry.shape import Shape


@dataclass(frozen=True, slots=True)
class Count:
    """What there was of one metric.

    Attributes:
        rows: Its rows.
        timed_by_receipt: Those whose time is that of their receipt.
        flags: Those that have each flag; a flag that none has is left out.
        first_us: The time of the first row; 0 without rows.
        last_us: The time of the last one.
    """

    rows: int
    timed_by_receipt: int
    flags: Mapping[str, int]
    first_us: int
    last_us: int


class Tally:
    """Counts an export as it passes, and keeps nothing of it.

    Args:
        about: What is exported.
        shape: How it is written.

    Attributes:
        rows: Rows of the content: readings, intervals, or instants where it is wide.
        size: Bytes of the content.
    """

    def __init__(self, about: Subject, shape: Shape) -> None:
        self.rows = 0
        self.size = 0
        self._wide = shape.layout == "wide"
        self._hash = hashlib.sha256()
        self._none = np.zeros(len(about.series), np.int64)
        self._rows, self._timed_by_receipt = self._none, self._none
        self._first_us, self._last_us = self._none.copy(), self._none.copy()
        self._flagged: dict[Flag, Ints] = {}

    @property
    def sha256(self) -> str:
        """Of the content, as hexadecimal digits."""
        return self._hash.hexdigest()

    def counted(self, parts: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """The parts from `telemetry.export_rows.export_rows`, each counted before it goes on."""
        for part in parts:
            self._count(part)
            yield part

    def hashed(self, content: Iterable[bytes]) -> Iterator[bytes]:
        """The content, each piece counted before it goes on."""
        for piece in content:
            self.size += len(piece)
            self._hash.update(piece)
            yield piece

    def of(self, place: int) -> Count:
        """What there was of the metric in that place among those exported."""
        flags = {
            flag_names(flag): int(self._flagged[flag][place])
            for flag in sorted(self._flagged)
            if self._flagged[flag][place]
        }
        return Count(
            int(self._rows[place]),
            int(self._timed_by_receipt[place]),
            flags,
            int(self._first_us[place]),
            int(self._last_us[place]),
        )

    def _count(self, part: pd.DataFrame) -> None:
        places = np.asarray(part["metric"].cat.codes, dtype=np.int64)
        times_us, flags = part["time_us"].to_numpy(), part["flags"].to_numpy()
        self.rows += _instants(part) if self._wide else len(part)
        new = (self._rows == 0)[places]
        self._first_us[places[new][::-1]] = times_us[new][::-1]  # of several the last one stays
        self._last_us[places] = times_us
        self._rows = self._rows + self._each(places)
        undelayed = part["received_us"].to_numpy() == times_us
        self._timed_by_receipt = self._timed_by_receipt + self._each(places[undelayed])
        for flag in Flag(int(np.bitwise_or.reduce(flags))):
            before = self._flagged.get(flag, self._none)
            self._flagged[flag] = before + self._each(places[flags & int(flag) != 0])

    def _each(self, places: Ints) -> Ints:
        return np.bincount(places, minlength=len(self._none))


def _instants(part: pd.DataFrame) -> int:
    """Rows of a part in wide layout: as many at an instant as the metric with most has there."""
    cells = part.groupby(["time_us", "metric"], observed=True).size()
    return int(cells.groupby("time_us").max().sum())
