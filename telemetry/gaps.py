"""Gaps: silences of a series that are longer than its reporting interval explains."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from telemetry.exact import Ints
from telemetry.interval import Cadence
from telemetry.reading import Flag


class Pieces(NamedTuple):
    """Stretches in which readings came: from when to when each, oldest first; both in µs.

    A reading is a piece of no length; a rollup reaches from its first reading to its last.
    """

    first_us: Ints
    last_us: Ints


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence of a series.

    Attributes:
        start_us: When the last reading before it was measured, or where we began to look.
        end_us: When the first one after it was measured, or until when we looked.
        missing: How many readings were expected between the two; `None` if it is irregular.
        lasts: Whether it had not ended where we stopped looking.
    """

    start_us: int
    end_us: int
    missing: int | None
    lasts: bool = False

    @property
    def length_us(self) -> int:
        """How long it is."""
        return self.end_us - self.start_us


class LateRun(NamedTuple):
    """Readings one after the other that all arrived late: nobody saw them while they were due.

    Attributes:
        start_us: When the first was measured.
        end_us: When the last was measured.
        readings: How many.
        delay_us: How late the last of them to come was.
    """

    start_us: int
    end_us: int
    readings: int
    delay_us: int


def pieces_of_readings(frame: pd.DataFrame) -> Pieces:
    """Readings as pieces; of their frame only `time_us` counts."""
    times = frame["time_us"].to_numpy(dtype=np.int64)
    return Pieces(times, times)


def pieces_of_rollups(frame: pd.DataFrame) -> Pieces:
    """Rollups as pieces; a gap within one of them is not seen."""
    first, last = (frame[name].to_numpy(dtype=np.int64) for name in ("first_us", "last_us"))
    return Pieces(first, last)


def gaps(pieces: Pieces, cadence: Cadence, start_us: int, end_us: int) -> Iterator[Gap]:
    """The gaps of a series between two times, oldest first.

    Args:
        pieces: Of its readings in `[start_us, end_us)`.
        cadence: What a gap is: more than `cadence.gap_us` without a reading.
        start_us: When the last reading before was measured, or where we begin to look.
        end_us: Until when we look: there a gap may still last.

    >>> from telemetry.interval import SetBy
    >>> every_10 = Cadence(10, 0, 1.0, 60, SetBy.SETTING)
    >>> times = np.array([10, 20, 70, 80])
    >>> [gap] = gaps(Pieces(times, times), every_10, 0, 90)
    >>> gap.start_us, gap.end_us, gap.missing
    (20, 70, 4)
    """
    ends = np.concatenate([[start_us], pieces.last_us])
    begins = np.concatenate([pieces.first_us, [end_us]])
    for number in np.flatnonzero(begins - ends > cadence.gap_us).tolist():
        lasts = number == len(pieces.first_us)
        length_us = int(begins[number] - ends[number])
        yield Gap(
            start_us=int(ends[number]),
            end_us=int(begins[number]),
            missing=_missing(length_us, cadence, lasts=lasts),
            lasts=lasts,
        )


def _missing(length_us: int, cadence: Cadence, *, lasts: bool) -> int | None:
    if not cadence.is_regular:
        return None
    if lasts:
        return length_us // cadence.interval_us
    return max(1, round(length_us / cadence.interval_us) - 1)


def gaps_of_changes(frame: pd.DataFrame, cadence: Cadence, end_us: int) -> Iterator[Gap]:
    """The gaps in the changes of a state, from `Snapshot.changes` with `cadence.gap_us`."""
    times = frame["time_us"].to_numpy(dtype=np.int64)
    if not len(times):
        return
    broken = np.flatnonzero(frame["after_gap"].to_numpy(dtype=bool))
    broken = broken[broken > 0]
    held = Pieces(times[np.concatenate([[0], broken])], times[[*(broken - 1), len(times) - 1]])
    yield from gaps(held, cadence, int(times[0]), end_us)


def late_runs(frame: pd.DataFrame) -> Iterator[LateRun]:
    """Runs of readings that arrived late, oldest first.

    Args:
        frame: Readings as in `telemetry.interface.Answer`.
    """
    late = (frame["flags"].to_numpy(dtype=np.int64) & int(Flag.LATE)) != 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], late, [False]]).astype(np.int8)))
    times, delays = frame["time_us"].to_numpy(), frame["delay_us"].to_numpy()
    for first, after in edges.reshape(-1, 2).tolist():
        delay_us = int(delays[first:after].max())
        yield LateRun(int(times[first]), int(times[after - 1]), after - first, delay_us)
