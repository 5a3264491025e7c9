"""Readings of a series wherever they lie: in the head, in blocks, or in rollups."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from telemetry.buckets import Buckets, bucketed, merged
from telemetry.reading import Series
from telemetry.rollup import merge, roll
from telemetry.store import head_readings as head
from telemetry.store.archive import Archive
from telemetry.store.cadences import SealedTimes
from telemetry.store.head import Connection
from telemetry.store.late import hours_of, too_late
from telemetry.store.layout import Block, Tier
from telemetry.store.manifest import is_damaged, overlapping
from telemetry.store.planning import Plan, Planner, parted, split_at
from telemetry.store.sealing import split
from telemetry.window import ALL_TIME, HOUR_US, MINUTE_US, Window

_FEW_HOURS = 24
_NOTHING = head.frame_of([])


class SeriesReadings:
    """The readings of one series in one snapshot, each exactly once."""

    def __init__(self, connection: Connection, archive: Archive, series: Series) -> None:
        self._connection = connection
        self._archive = archive
        self._series = series
        self._span = head.find(connection, series)
        self._planner = Planner(connection, series, self._span.readings_from_us)

    def read(self, window: Window) -> pd.DataFrame:
        """The readings in a window, as in `telemetry.interface.Answer`, oldest first."""
        recent = head.read(self._connection, self._span.id, window)
        blocks = self._blocks(Tier.READINGS, window)
        recent = self._in_time(recent)
        if not blocks:
            return recent
        return together(self._archive.readings(blocks, self._series, window), recent)

    def count(self, window: Window, at_most: int) -> int:
        """How many readings the window holds; counting ends at about `at_most`."""
        found = head.count(self._connection, self._span.id, window, at_most)
        blocks = self._blocks(Tier.READINGS, window)
        if found >= at_most or not (blocks or self._is_over(window.start_us)):
            return found
        found -= len(self._late(blocks, window)[1])
        few = window.length_us <= _FEW_HOURS * HOUR_US
        rolled, raw = Plan([], [window]) if few else self._planner.count(window)
        for tier, part in rolled:
            found_in = self._blocks(tier, part)
            hours = self._archive.rollups(found_in, self._series, part)
            if self._is_whole(tier, part, found_in):
                found += int(hours["count"].sum() + hours["states"].sum())
            else:
                raw.append(part)
        for part in raw:
            found += len(self._archive.times(blocks, self._series, part))
        return min(found, at_most)

    def grain_us(self, window: Window) -> int:
        """As `telemetry.interface.Snapshot.grain_us`."""
        start_us = max(window.start_us, self._span.oldest_us)
        return (
            self._planner.grain_us(Window(start_us, window.end_us))
            if start_us < window.end_us
            else 0
        )

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
        known_us = [one for one in (oldest_us, self._oldest_rolled_us()) if one is not None]
        return Window(min(known_us, default=newest_us), newest_us + 1)

    def _oldest_rolled_us(self) -> int | None:
        """When the oldest reading was measured of which only a rollup is left, or its hour."""
        if not self._is_over(self._span.oldest_us):
            return None
        window = Window(self._span.oldest_us - HOUR_US, self._span.readings_from_us)
        oldest_us: int | None = None
        for block in self._blocks(Tier.HOURS, window):
            if oldest_us is not None and block.first_us > oldest_us:
                break
            hours = self._archive.rollups([block], self._series, window)
            if len(hours):
                first = hours.iloc[0]
                begun_us = int(first["time_us"] if first["states"] else first["first_us"])
                oldest_us = begun_us if oldest_us is None else min(begun_us, oldest_us)
        return oldest_us

    def tail(self, window: Window, rows: int) -> pd.DataFrame:
        """The newest readings of a window, at most `rows` of them, oldest first."""
        found = head.tail(self._connection, self._span.id, window, rows)
        for block in reversed(self._by_end(window)):
            enough = len(found) >= rows and block.last_us < found["time_us"].iloc[-rows]
            if enough:
                break
            older = self._archive.tail(block, self._series, window, rows)
            found = together(older, found)
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

    def times_before(self, before_us: int, rows: int, sealed: SealedTimes) -> list[int]:
        """When the newest readings before then were measured, each instant once, newest first."""
        found = head.times_before(self._connection, self._span.id, before_us, rows)
        since_us = found[-1] if len(found) == rows else ALL_TIME.start_us
        blocks = self._blocks(Tier.READINGS, Window(since_us, before_us))
        if blocks:
            older = sealed.before(self._archive, blocks, self._series, before_us, rows)
            found = sorted({*found, *older}, reverse=True)[:rows]
        return found

    def buckets(self, window: Window, bucket_us: int) -> pd.DataFrame:
        """Aggregates of the numbers over aligned intervals, as in `telemetry.interface.Answer`."""
        blocks = self._blocks(Tier.READINGS, window)
        if not (blocks or self._is_over(window.start_us)):
            return pd.DataFrame(head.buckets(self._connection, self._span.id, window, bucket_us))
        parts = [*self._head_buckets(blocks, window, bucket_us)]
        rolled, raw = self._planner.buckets(window, bucket_us)
        for part in raw:
            parts.append(self._archive.bucketed(blocks, self._series, part, bucket_us))
        for tier, part in rolled:
            parts.append(self._rolled(tier, part, bucket_us))
        return merged(parts, bucket_us)

    def rollups(self, window: Window, width_us: int) -> pd.DataFrame:
        """All that rollups say of the numbers, as in `telemetry.interface.Snapshot.rollups`."""
        blocks = self._blocks(Tier.READINGS, window)
        whole_us = self._sealed_until(blocks) // HOUR_US * HOUR_US  # later ones lack the head's
        sealed, recent = parted(window, whole_us)
        rolled, raw = self._planner.buckets(sealed, width_us) if sealed else Plan([], [])
        if not rolled:
            return _of_numbers(_roll(self.read(window), width_us))
        raw = [*raw, *([recent] if recent else [])]
        late_hours = {*(self._late(blocks, window)[0]["time_us"] // HOUR_US).tolist()}
        parts = []
        for tier, whole in rolled:
            for part, is_late in split_at(whole, late_hours):
                blocks = self._blocks(tier, part)
                told = self._is_whole(tier, part, blocks) and not is_late
                if told or self._is_over(part.start_us):
                    parts.append(self._archive.rollups(blocks, self._series, part))
                else:
                    raw.append(part)
        widths_us = (one for one in (HOUR_US, MINUTE_US) if width_us % one == 0)
        narrow_us = next(widths_us, width_us)  # so that no two parts begin at one time
        parts += [_roll(self.read(part), narrow_us) for part in raw]
        return _of_numbers(merge(parts, width_us))

    def _rolled(self, tier: Tier, window: Window, bucket_us: int) -> Buckets:
        """What rollups say; where they cannot be read, what is there beside them says it."""
        blocks = self._blocks(tier, window)
        found = self._archive.buckets(blocks, self._series, window)
        if self._is_whole(tier, window, blocks):
            return found
        if not self._is_over(window.start_us):
            readings = self._blocks(Tier.READINGS, window)
            return self._archive.bucketed(readings, self._series, window, bucket_us)
        other = Tier.HOURS if tier is Tier.MINUTES else Tier.MINUTES
        return self._archive.buckets(self._blocks(other, window), self._series, window)

    def _is_whole(self, tier: Tier, window: Window, blocks: Iterable[Block]) -> bool:
        """Whether all blocks of a tier could be read."""
        damage = self._archive.damage
        return not any(one.path in damage for one in blocks) and not is_damaged(
            self._connection, window, tier
        )

    def _is_over(self, time_us: int) -> bool:
        """Whether the readings of that time are over."""
        return time_us < self._span.readings_from_us

    def _head_buckets(
        self, blocks: Sequence[Block], window: Window, bucket_us: int
    ) -> Iterator[Buckets]:
        end_us = self._sealed_until(blocks)
        if end_us < window.end_us:
            recent = Window(max(end_us, window.start_us), window.end_us)
            yield head.buckets(self._connection, self._span.id, recent, bucket_us)
        late = self._late(blocks, window)[0]
        if not late.empty:
            late = late[late["value"].notna()]
            yield bucketed(late["time_us"].to_numpy(), late["value"].to_numpy(), bucket_us)

    def _late(self, blocks: Sequence[Block], window: Window) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What the head has among the times of blocks: what is new, and what came twice."""
        end_us = min(window.end_us, self._sealed_until(blocks))
        if end_us <= window.start_us:
            return _NOTHING, _NOTHING
        late = head.read(self._connection, self._span.id, Window(window.start_us, end_us))
        if late.empty:
            return _NOTHING, _NOTHING
        kept = self._in_time(late)
        closed = late[~late["time_us"].isin(kept["time_us"])]
        parts = [
            split(some, self._archive.readings(blocks, self._series, hour))
            for hour, some in _by_hour(kept)
        ]
        new, again = zip(*parts, strict=True) if parts else ([kept], [closed])
        return pd.concat([*new]), pd.concat([*again, closed] if parts else [*again])

    def _in_time(self, recent: pd.DataFrame) -> pd.DataFrame:
        """Without those of the head that are of hours whose readings are over.

        Whole hours tell that, however few readings of them were asked for.
        """
        if recent.empty or not self._is_over(recent["time_us"].iloc[0]):
            return recent
        old = recent[recent["time_us"] < self._span.readings_from_us]
        times = old["time_us"].to_numpy()
        hours = hours_of(times)
        blocks = self._blocks(Tier.READINGS, hours)
        earlier = self._archive.times(blocks, self._series, hours)
        closed = self._blocks(Tier.HOURS, hours)
        lost = too_late(self._archive, closed, self._series, old, earlier)
        return recent.drop(old.index[lost]).reset_index(drop=True)

    def _sealed_until(self, blocks: Iterable[Block]) -> int:
        """What was measured later is in the head alone."""
        return max([self._span.readings_from_us, *(one.last_us + 1 for one in blocks)])

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


def _roll(readings: pd.DataFrame, width_us: int) -> pd.DataFrame:
    times, values = (readings[name].to_numpy() for name in ("time_us", "value"))
    return roll(np.zeros(len(readings), np.int64), times, values, width_us)


def _of_numbers(rollups: pd.DataFrame) -> pd.DataFrame:
    return rollups[rollups["count"] > 0].drop(columns=["series", "states"])


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


def _by_hour(readings: pd.DataFrame) -> Iterator[tuple[Window, pd.DataFrame]]:
    """The readings of each hour that has any, and the hour."""
    if len(readings):
        for number, some in readings.groupby(readings["time_us"] // HOUR_US):
            start_us = int(str(number)) * HOUR_US
            yield Window(start_us, start_us + HOUR_US), some
