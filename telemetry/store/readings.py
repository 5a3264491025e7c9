"""Readings of a series wherever they lie: in the head, in blocks, or in rollups."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import numpy as np
import pandas as pd

from telemetry.buckets import Buckets, bucketed, merged
from telemetry.reading import Series
from telemetry.rollup import HOUR_US, MINUTE_US
from telemetry.store import head_readings as head
from telemetry.store.archive import Archive
from telemetry.store.head import Connection
from telemetry.store.layout import DAY_US, Block, Tier
from telemetry.store.manifest import Dense, dense_days, overlapping
from telemetry.store.sealing import split
from telemetry.window import ALL_TIME, Window

_FEW_HOURS = 24
_NONE = head.frame_of([])


class SeriesReadings:
    """The readings of one series in one snapshot, each exactly once."""

    def __init__(self, connection: Connection, archive: Archive, series: Series) -> None:
        self._connection = connection
        self._archive = archive
        self._series = series
        self._span = head.find(connection, series)

    def read(self, window: Window) -> pd.DataFrame:
        """The readings in a window, as in `telemetry.interface.Answer`, oldest first."""
        recent = head.read(self._connection, self._span.id, window)
        blocks = self._blocks(Tier.READINGS, window)
        if not blocks:
            return recent
        return together(self._archive.readings(blocks, self._series, window), recent)

    def count(self, window: Window, at_most: int) -> int:
        """How many readings the window holds; counting ends at about `at_most`."""
        found = head.count(self._connection, self._span.id, window, at_most)
        blocks = self._blocks(Tier.READINGS, window)
        if found >= at_most or not blocks:
            return found
        found -= len(self._late(blocks, window)[1])
        rolled, raw = (
            self._plan(window, HOUR_US)
            if window.length_us > _FEW_HOURS * HOUR_US
            else ([], [window])
        )
        for part in raw:
            found += len(self._archive.times(blocks, self._series, part))
        for tier, part in rolled:
            hours = self._archive.rollups(self._blocks(tier, part), self._series, part)
            found += int(hours["count"].sum() + hours["states"].sum())
        return min(found, at_most)

    def extent(self) -> Window | None:
        """From the oldest reading to the newest."""
        if self._span.id < 0:
            return None
        newest_us = self._span.newest_us
        oldest_us = head.oldest_us(self._connection, self._span.id)
        window = Window(self._span.oldest_us, newest_us + 1)
        for block in self._blocks(Tier.READINGS, window):
            if oldest_us is not None and block.first_us > oldest_us:
                break
            times = self._archive.times([block], self._series, window)
            if len(times):
                oldest_us = min(int(times[0]), newest_us if oldest_us is None else oldest_us)
        return Window(newest_us if oldest_us is None else oldest_us, newest_us + 1)

    def tail(self, window: Window, rows: int) -> pd.DataFrame:
        """The newest readings of a window, at most `rows` of them, oldest first."""
        found = head.tail(self._connection, self._span.id, window, rows)
        for block in reversed(self._by_end(window)):
            enough = len(found) >= rows and block.last_us < found["time_us"].iloc[-rows]
            if enough:
                break
            found = together(self._archive.readings([block], self._series, window), found)
        return found.iloc[-rows:].reset_index(drop=True)

    def tail_of_head(self, rows: int) -> pd.DataFrame:
        """The newest readings that are in no block yet, at most `rows` of them, oldest first."""
        return head.tail(self._connection, self._span.id, ALL_TIME, rows)

    def boundary(self, start_us: int, rows: int) -> int | None:
        """When the reading comes that is `rows` after the first since `start_us`, or `None`."""
        recent = head.times(self._connection, self._span.id, start_us, rows + 1)
        window = Window(start_us, 1 << 62)
        times = recent
        for block in self._blocks(Tier.READINGS, window):
            if len(times) > rows and block.first_us > times[rows]:
                break
            found = self._archive.times([block], self._series, window)
            times = np.sort(np.concatenate([times, found]))[: rows + 1]
        return int(times[rows]) if len(times) > rows else None

    def times_before(self, before_us: int, rows: int) -> Sequence[int]:
        """When the newest readings before then were measured, newest first."""
        found = head.times_before(self._connection, self._span.id, before_us, rows)
        if len(found) == rows:
            return found
        window = Window(-(1 << 62), before_us)
        return self.tail(window, rows)["time_us"].tolist()[::-1]

    def buckets(self, window: Window, bucket_us: int) -> pd.DataFrame:
        """Aggregates of the numbers over aligned intervals, as in `telemetry.interface.Answer`."""
        blocks = self._blocks(Tier.READINGS, window)
        if not blocks:
            return head.buckets(self._connection, self._span.id, window, bucket_us)
        parts = [*self._head_buckets(blocks, window, bucket_us)]
        rolled, raw = self._plan(window, bucket_us)
        for part in raw:
            numbers = self._archive.numbers(blocks, self._series, part)
            parts.append(bucketed(*numbers, bucket_us))
        for tier, part in rolled:
            parts.append(self._archive.buckets(self._blocks(tier, part), self._series, part))
        return merged(parts, bucket_us)

    def _head_buckets(
        self, blocks: Sequence[Block], window: Window, bucket_us: int
    ) -> Iterator[Buckets]:
        end_us = max(block.last_us for block in blocks) + 1
        if end_us < window.end_us:
            recent = Window(max(end_us, window.start_us), window.end_us)
            found = head.buckets(self._connection, self._span.id, recent, bucket_us)
            yield {str(name): found[name].to_numpy() for name in found}
        late = self._late(blocks, window)[0]
        late = late[late["value"].notna()]
        yield bucketed(late["time_us"].to_numpy(), late["value"].to_numpy(), bucket_us)

    def _late(self, blocks: Sequence[Block], window: Window) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What the head has among the times of blocks: what is new, and what came twice."""
        end_us = min(window.end_us, max(block.last_us for block in blocks) + 1)
        if end_us <= window.start_us:
            return _NONE, _NONE
        late = head.read(self._connection, self._span.id, Window(window.start_us, end_us))
        parts = [
            split(some, self._archive.readings(blocks, self._series, hour))
            for hour, some in _by_hour(late)
        ]
        if not parts:
            return late, late
        new, again = zip(*parts, strict=True)
        return pd.concat(new), pd.concat(again)

    def _plan(
        self, window: Window, bucket_us: int
    ) -> tuple[list[tuple[Tier, Window]], list[Window]]:
        """What rollups answer of the window, and what readings must."""
        if bucket_us % HOUR_US == 0:
            return _inner(Tier.HOURS, HOUR_US, window)
        if bucket_us % MINUTE_US == 0:
            return self._plan_minutes(window)
        return [], [window]

    def _plan_minutes(self, window: Window) -> tuple[list[tuple[Tier, Window]], list[Window]]:
        rolled: list[tuple[Tier, Window]] = []
        raw: list[Window] = []
        start_us = window.start_us
        for part in _stretches(dense_days(self._connection, self._series, window)):
            if part.end_us <= window.start_us or part.start_us >= window.end_us:
                continue
            inside = Window(max(part.start_us, window.start_us), min(part.end_us, window.end_us))
            if start_us < inside.start_us:
                raw.append(Window(start_us, inside.start_us))
            whole, edges = _inner(Tier.MINUTES, MINUTE_US, inside)
            rolled += whole
            raw += edges
            start_us = inside.end_us
        if start_us < window.end_us:
            raw.append(Window(start_us, window.end_us))
        return rolled, raw

    def _blocks(self, tier: Tier, window: Window) -> list[Block]:
        """The blocks that may have something of the series, oldest first."""
        start_us = max(window.start_us, self._span.oldest_us - HOUR_US)  # rollups begin before
        end_us = min(window.end_us, self._span.newest_us + 1)
        if start_us >= end_us or self._span.id < 0:
            return []
        reach = Window(start_us, end_us)
        return [
            one for one in overlapping(self._connection, tier, reach) if one.shows(self._series)
        ]

    def _by_end(self, window: Window) -> list[Block]:
        return sorted(self._blocks(Tier.READINGS, window), key=lambda one: one.last_us)


def together(old: pd.DataFrame, recent: pd.DataFrame) -> pd.DataFrame:
    """Readings of blocks and of the head as one, each once, by time and value."""
    if old.empty:
        return recent
    if len(recent) and recent["time_us"].iloc[0] <= old["time_us"].max():
        recent, _ = split(recent, old)
    frame = pd.concat([old, recent], ignore_index=True) if len(recent) else old
    times = frame["time_us"]
    if times.is_monotonic_increasing and times.is_unique:
        return frame
    return frame.sort_values(["time_us", "value", "text"], ignore_index=True)


def changes(readings: pd.DataFrame, gap_us: float) -> pd.DataFrame:
    """Where states begin and end among readings, as in `telemetry.interface.Snapshot.changes`."""
    gaps = readings["time_us"].diff()
    after_gap = gaps > gap_us
    same = [
        (readings[name] == readings[name].shift())
        | (readings[name].isna() & readings[name].shift().isna())
        for name in ("value", "text")
    ]
    ends = after_gap.shift(-1, fill_value=True)
    kept = ~(same[0] & same[1]) | after_gap | ends
    kept.iloc[:1] = True
    found = readings.assign(after_gap=after_gap)[kept.to_numpy(dtype=bool)]
    return found[["time_us", "value", "text", "after_gap"]].reset_index(drop=True)


def _by_hour(readings: pd.DataFrame) -> Iterator[tuple[Window, pd.DataFrame]]:
    """The readings of each hour that has any, and the hour."""
    if len(readings):
        for number, some in readings.groupby(readings["time_us"] // HOUR_US):
            start_us = int(str(number)) * HOUR_US
            yield Window(start_us, start_us + HOUR_US), some


def _inner(
    tier: Tier, width_us: int, window: Window
) -> tuple[list[tuple[Tier, Window]], list[Window]]:
    """The whole intervals of a window, and what is left at its edges."""
    start_us = -(-window.start_us // width_us) * width_us
    end_us = window.end_us // width_us * width_us
    if end_us <= start_us:
        return [], [window]
    edges = [(window.start_us, start_us), (end_us, window.end_us)]
    return [(tier, Window(start_us, end_us))], [Window(*one) for one in edges if one[0] < one[1]]


def _stretches(days: Iterable[Dense]) -> Iterator[Window]:
    """The stretches of hours that have minutes, in order."""
    hours_us = [
        day.day_us + hour * HOUR_US
        for day in days
        for hour in range(DAY_US // HOUR_US)
        if day.hours >> hour & 1
    ]
    for _, some in groupby(enumerate(hours_us), lambda one: one[1] - one[0] * HOUR_US):
        stretch = [hour_us for _, hour_us in some]
        yield Window(stretch[0], stretch[-1] + HOUR_US)
