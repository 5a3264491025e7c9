"""What is shown of one series, made anew only where it changed since it was last asked for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from telemetry.exact import Ints
from telemetry.interface import Snapshot
from telemetry.kept import Columns, Recent
from telemetry.reading import Latest, Series
from telemetry.rolling import means
from telemetry.samples import Samples
from telemetry.window import SECOND_US, Window

_BEHIND_US = SECOND_US
"""So much is kept behind a window: another thread may ask for one that begins a moment earlier."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """An `Answer` without the price of a frame: a page had sixteen, for a third of its time.

    Attributes:
        series: Whose they are.
        columns: Those of `Answer.frame`.
        bucket_us: The width of a bucket, or 0 for readings.
    """

    series: Series
    columns: Columns
    bucket_us: int = 0

    @property
    def frame(self) -> pd.DataFrame:
        """The columns as a frame."""
        return frame_of(self.columns)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Columns over a window, of the store as it was at one sequence.

    Attributes:
        sequence: Of the store.
        newest_us: When the newest reading of the series was measured.
        window: What they cover.
        columns: What was measured, or came of that, by `time_us`.
    """

    sequence: int
    newest_us: int
    window: Window
    columns: Columns

    def within(self, window: Window) -> Columns:
        """The part in a window."""
        return between(self.columns, window)

    def count(self, window: Window) -> int:
        """How many rows are in a window."""
        first, last = self.columns["time_us"].searchsorted([window.start_us, window.end_us])
        return int(last - first)


@dataclass(frozen=True, slots=True)
class Now:
    """A series in a snapshot.

    Attributes:
        snapshot: The store at one moment.
        latest: The newest reading that it has there.
        recent: Its columns.
    """

    snapshot: Snapshot
    latest: Latest
    recent: Recent

    @property
    def series(self) -> Series:
        """The series."""
        return self.latest.series

    def cut_us(self, old: Run | None, window: Window) -> int:
        """From when on a window has to be made anew, if an older run covers its beginning.

        A thread that is ahead may have made it, of a later sequence: that is not read again.
        """
        if old is None or not old.window.start_us <= window.start_us <= old.window.end_us:
            return window.start_us
        changed_us = self.recent.changed_us(old.sequence)
        return max(window.start_us, min(changed_us, old.newest_us + 1, old.window.end_us))

    def run(self, old: Run | None, window: Window, made: Callable[[Window], Columns]) -> Run:
        """A window, of which only that is made which the older run does not have."""
        return self.run_from(old, window, self.cut_us(old, window), made)

    def run_from(
        self, old: Run | None, window: Window, cut_us: int, made: Callable[[Window], Columns]
    ) -> Run:
        """The same, made anew from then on, with a little before it that is there already."""
        parts: list[Columns] = []
        start_us = window.start_us
        if old is not None and cut_us > window.start_us:
            start_us = max(old.window.start_us, window.start_us - _BEHIND_US)
            parts.append(old.within(Window(start_us, min(cut_us, window.end_us))))
        if cut_us < window.end_us:
            new = made(Window(cut_us, window.end_us))
            if len(new["time_us"]) or not parts:
                parts.append(new)
        whole = Window(start_us, window.end_us)
        return Run(self.snapshot.sequence, self.latest.time_us, whole, in_order(parts))

    def readings(self, old: Run | None, window: Window, at_most: int) -> Run | None:
        """The readings of a window, or `None` if there are more than so many."""
        cut_us = self.cut_us(old, window)
        known = 0
        if old is not None and cut_us > window.start_us:
            known = old.count(Window(window.start_us, min(cut_us, window.end_us)))
        new: Columns | None = NO_READINGS
        if cut_us < window.end_us and cut_us <= self.latest.time_us and known <= at_most:
            new = self.recent.columns(Window(cut_us, window.end_us), at_most - known)
        if new is None or known > at_most:
            return None
        found = new
        return self.run_from(old, window, cut_us, lambda _: found)

    def buckets(self, old: Run | None, window: Window, width_us: int) -> Run:
        """The aligned buckets of a window."""
        cut_us = self.cut_us(old, window) // width_us * width_us

        def made(part: Window) -> Columns:
            if self.latest.time_us < part.start_us:
                return NO_BUCKETS
            return self.recent.bucket_columns(part, width_us)

        return self.run_from(old, window, cut_us, made)

    def line(self, old: Run | None, window: Window, samples: Samples, span_us: int) -> Run:
        """The mean over a span, and of how many readings, at each sample of a window."""

        def made(part: Window) -> Columns:
            first, last = samples.time_us.searchsorted([part.start_us, part.end_us])
            at = samples.time_us[first:last]
            return mean_columns(samples, span_us, at)

        return self.run(old, window, made)


NO_READINGS: Columns = {
    "time_us": np.zeros(0, np.int64),
    "value": np.zeros(0),
    "text": np.zeros(0, object),
    "delay_us": np.zeros(0, np.int64),
    "flags": np.zeros(0, np.int64),
}
NO_BUCKETS: Columns = {
    "time_us": np.zeros(0, np.int64),
    "sum": np.zeros(0),
    "min": np.zeros(0),
    "max": np.zeros(0),
    "count": np.zeros(0, np.int64),
}


def mean_columns(samples: Samples, span_us: int, at: Ints) -> Columns:
    """`time_us`, `mean` and `count` of the rolling mean at instants."""
    if not len(at):
        nothing = np.zeros(0, np.int64)
        return {"time_us": nothing, "mean": np.zeros(0), "count": nothing}
    near = samples.between(int(at[0]) - span_us, int(at[-1]))
    mean, count = means(near, span_us, at)
    return {"time_us": at, "mean": mean, "count": count}


def columns_of(table: pd.DataFrame | Columns) -> Columns:
    """The columns of a frame, or of what is none."""
    if isinstance(table, pd.DataFrame):
        return {str(name): table[name].to_numpy() for name in table}
    return table


def frame_of(table: pd.DataFrame | Columns) -> pd.DataFrame:
    """The frame of columns, or of what is one."""
    if isinstance(table, pd.DataFrame):
        return table
    texts = [name for name, column in table.items() if column.dtype == object]
    return pd.DataFrame({**table, **{name: pd.Series(table[name], dtype=object) for name in texts}})


def since(columns: Columns, row: int) -> Columns:
    """The rows from one on."""
    return {name: column[row:] for name, column in columns.items()}


def between(columns: Columns, window: Window) -> Columns:
    """The rows whose time is in a window."""
    first, last = columns["time_us"].searchsorted([window.start_us, window.end_us])
    return {name: column[first:last] for name, column in columns.items()}


def in_order(parts: Sequence[Columns]) -> Columns:
    """One part after the other."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
