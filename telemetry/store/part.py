"""A part: readings of one day as blocks of all tiers."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from telemetry.exact import Ints
from telemetry.kept import Columns
from telemetry.reading import Series
from telemetry.rollup import COLUMNS, roll
from telemetry.store.block import BlockWriter
from telemetry.store.encoding import ROLLUP_ROWS_AT_LEAST, row_groups
from telemetry.store.layout import READINGS, ROLLUPS, Block, Site, Tier, delay_ms
from telemetry.store.manifest import Dense
from telemetry.window import HOUR_US, MINUTE_US

_OF_SOME = {"min", "max", "first", "last", "first_us", "last_us"}  # NULL where no number is

READING = ("time_us", "value", "text", "delay_us", "flags")
"""The columns of readings."""

_MINUTES = 1440  # of a day

DENSE_PER_MINUTE = 20
"""From so many readings a minute on, minutes cost less than they save (DESIGN.md, section 4)."""


@dataclass(frozen=True, slots=True)
class Part:
    """Blocks made from the same readings, not yet part of the store.

    Attributes:
        blocks: The readings first, then their rollups.
        runs: How many readings of each series, in order.
        dense: The hours of which there are minutes.
    """

    blocks: Sequence[Block]
    runs: Sequence["Run"]
    dense: Sequence[Dense] = ()

    @property
    def rows(self) -> int:
        """How many readings it has."""
        return sum(run.rows for run in self.runs)


@dataclass(frozen=True, slots=True)
class Run:
    """The readings of one series in a block: how many, the first time and the last."""

    series: Series
    rows: int
    first_us: int
    last_us: int


@dataclass(slots=True)
class Draft:
    """Readings on their way into a part.

    Attributes:
        series: Which, ascending.
        frame: Columns `series` (a place in that list), `time_us`, `value`, `text`, `delay_us`,
            `flags`; sorted by series, time and value.
        earlier: The readings that earlier parts have in the same hours, in the same columns.
        dense: The hours of which series have minutes already.
    """

    day_us: int
    series: Sequence[Series]
    frame: pd.DataFrame
    earlier: pd.DataFrame
    dense: Sequence[Dense] = field(default_factory=list)


class Pile:
    """Readings of one day, series by series, until there are enough for a draft."""

    def __init__(self, day_us: int) -> None:
        self._day_us = day_us
        self._empty()

    def _empty(self) -> None:
        self._series: list[Series] = []
        self._columns: list[dict[str, NDArray[Any]]] = []  # Any: integers, floats and objects
        self._earlier: list[pd.DataFrame] = []
        self._dense: list[Dense] = []
        self.rows = 0

    def add(
        self,
        series: Series,
        readings: Columns | pd.DataFrame,
        earlier: pd.DataFrame | None = None,
    ) -> None:
        """Adds the readings of the next series, which are sorted, and earlier ones of its hours."""
        if earlier is not None and len(earlier):
            self._earlier.append(earlier.assign(series=len(self._series)))
        self._series.append(series)
        self._columns.append({name: np.asarray(readings[name]) for name in READING})
        self.rows += len(readings["time_us"])

    def note_dense(self, dense: Iterable[Dense]) -> None:
        """Notes of which hours there are minutes already."""
        self._dense += dense

    def take(self) -> Draft:
        """What is on the pile, which is then empty."""
        counts = [len(one["time_us"]) for one in self._columns]
        piled = self._columns
        columns = {name: np.concatenate([one.pop(name) for one in piled]) for name in READING}
        texts = pd.Series(columns["text"], dtype=object)
        places = np.repeat(np.arange(len(counts)), counts)
        frame = pd.DataFrame({"series": places, **columns, "text": texts}, copy=False)
        earlier = pd.concat([frame[:0], *self._earlier], ignore_index=True)
        draft = Draft(self._day_us, self._series, frame, earlier, self._dense)
        self._empty()
        return draft


class PartWriter:
    """Writes the blocks of a part, draft by draft, in the order of their series.

    As a context manager it leaves nothing behind if the block of code fails.
    """

    def __init__(self, site: Site, day_us: int) -> None:
        self._blocks = {tier: BlockWriter(site, tier, day_us) for tier in Tier}
        self._runs: list[Run] = []
        self._dense: list[Dense] = []

    @property
    def rows(self) -> int:
        """How many readings it has so far."""
        return self._blocks[Tier.READINGS].rows

    def add(self, draft: Draft) -> None:
        """Writes the readings of a draft and what they add to rollups.

        Raises:
            OSError: If that is not possible.
        """
        runs = [*_runs(draft)]
        groups = row_groups([run.rows for run in runs])
        self._blocks[Tier.READINGS].write(_readings(draft), groups)
        self._write_rollups(Tier.HOURS, draft, _rollups(draft, HOUR_US))
        dense = [*_dense(draft)]
        if dense:
            minutes = _only(dense, draft, _rollups(draft, MINUTE_US))
            self._write_rollups(Tier.MINUTES, draft, minutes)
        self._runs += runs
        self._dense += dense

    def _write_rollups(self, tier: Tier, draft: Draft, rolled: pd.DataFrame) -> None:
        _, counts = np.unique(rolled["series"].to_numpy(), return_counts=True)
        groups = row_groups(counts.tolist(), ROLLUP_ROWS_AT_LEAST)
        self._blocks[tier].write(rollup_table(draft.series, rolled), groups)

    def finish(self) -> Part | None:
        """The part, on disk; `None` if nothing was added.

        Raises:
            OSError: If it could not be written.
        """
        blocks = [self._blocks[tier].finish() for tier in Tier]
        return Part([one for one in blocks if one], self._runs, self._dense) if self.rows else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            for block in self._blocks.values():
                block.give_up()


def _runs(draft: Draft) -> Iterator[Run]:
    places, times = draft.frame["series"].to_numpy(), draft.frame["time_us"].to_numpy()
    begins = np.searchsorted(places, range(len(draft.series) + 1))
    for series, begin, end in zip(draft.series, begins, begins[1:], strict=False):
        if end > begin:
            yield Run(series, int(end - begin), int(times[begin]), int(times[end - 1]))


def _readings(draft: Draft) -> pa.Table:
    frame = draft.frame
    times = frame["time_us"].to_numpy()
    columns = [
        *_names(draft.series, frame["series"].to_numpy()),
        pa.array(times).cast(READINGS.field("time").type),
        pa.array(frame["value"], from_pandas=True),
        pa.array(frame["text"], pa.string()).dictionary_encode(),
        pa.array(delay_ms(times, frame["delay_us"].to_numpy())),
        pa.array(frame["flags"].to_numpy().astype(np.int32)),
    ]
    return pa.Table.from_arrays(columns, schema=READINGS)


def rollup_table(series: Sequence[Series], rolled: pd.DataFrame) -> pa.Table:
    """Rollups with the columns of their tiers; `rolled.series` is a place among the series."""
    empty = rolled["count"].to_numpy() == 0
    columns = [
        *_names(series, rolled["series"].to_numpy()),
        pa.array(rolled["time_us"].to_numpy()).cast(ROLLUPS.field("time").type),
    ]
    for name in COLUMNS:
        absent = empty if name in _OF_SOME else None
        column = pa.array(rolled[name].to_numpy(), mask=absent)
        columns.append(column.cast(ROLLUPS.field(name.replace("_us", "_time")).type))
    return pa.Table.from_arrays(columns, schema=ROLLUPS)


def _names(series: Sequence[Series], places: Ints) -> Iterator[pa.Array]:
    for names in zip(*series, strict=True):
        known = sorted({*names})
        code = {name: number for number, name in enumerate(known)}
        codes = np.array([code[name] for name in names], dtype=np.int32)
        yield pa.DictionaryArray.from_arrays(codes[places], pa.array(known, pa.string()))


def _rollups(draft: Draft, width_us: int) -> pd.DataFrame:
    """What the draft adds to what the rollups of earlier parts say."""
    rolled = _roll(draft.frame, width_us)
    if draft.earlier.empty:
        return rolled
    order, keys = ["series", "time_us", "value"], ["series", "time_us"]
    earlier = draft.earlier.sort_values(order, ignore_index=True)
    every = pd.concat([earlier, draft.frame]).sort_values(order, ignore_index=True)
    after = rolled[keys].merge(_roll(every, width_us), on=keys)["integral"]
    before = rolled[keys].merge(_roll(earlier, width_us), how="left", on=keys)["integral"]
    return rolled.assign(integral=after - before.fillna(0.0))


def _roll(frame: pd.DataFrame, width_us: int) -> pd.DataFrame:
    series, time_us, value = (frame[name].to_numpy() for name in ("series", "time_us", "value"))
    return roll(series, time_us, value, width_us)


def _dense(draft: Draft) -> Iterator[Dense]:
    """The hours of each series that get minutes: those that have, and new ones full enough."""
    known = {one.series: one.hours for one in draft.dense}
    frame = draft.frame[draft.frame["value"].notna()]
    counts = _by_hour(frame, draft.day_us)
    taken = {*_by_hour(draft.earlier, draft.day_us)}
    found: dict[int, int] = {}
    for (place, hour), (count, filled) in counts.items():
        has = known.get(draft.series[place], 0) >> hour & 1
        full = (place, hour) not in taken and count >= DENSE_PER_MINUTE * filled
        if has or full:
            found[place] = found.get(place, 0) | 1 << hour
    for place, hours in found.items():
        yield Dense(draft.series[place], draft.day_us, hours)


def _by_hour(frame: pd.DataFrame, day_us: int) -> dict[tuple[int, int], tuple[int, int]]:
    """How many readings, and in how many minutes, each series has in each hour of the day."""
    minutes = (frame["time_us"].to_numpy() - day_us) // MINUTE_US
    keys = frame["series"].to_numpy() * _MINUTES + minutes
    if np.any(keys[1:] < keys[:-1]):  # mostly they are in order, and to sort them would take longer
        keys = np.sort(keys)
    begins = np.flatnonzero(np.diff(keys, prepend=-1))
    sizes = np.diff(begins, append=len(keys))
    hours = keys[begins] // 60
    firsts = np.flatnonzero(np.diff(hours, prepend=-1))
    filled = np.diff(firsts, append=len(hours))
    counts = np.add.reduceat(sizes, firsts) if len(firsts) else sizes
    return {
        divmod(hour, 24): (count, minutes)
        for hour, count, minutes in zip(
            hours[firsts].tolist(), counts.tolist(), filled.tolist(), strict=True
        )
    }


def _only(dense: Sequence[Dense], draft: Draft, minutes: pd.DataFrame) -> pd.DataFrame:
    """The minutes of the hours that have them."""
    hours = np.zeros(len(draft.series), dtype=np.int64)
    places = {series: place for place, series in enumerate(draft.series)}
    for one in dense:
        hours[places[one.series]] = one.hours
    hour = (minutes["time_us"].to_numpy() - draft.day_us) // HOUR_US
    wanted: Ints = hours[minutes["series"].to_numpy()] >> hour & 1
    return minutes.iloc[np.flatnonzero(wanted)]
