"""A day of an import: what is new of the rows of files becomes a part, the rest is counted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from telemetry.exact import Ints
from telemetry.interface import StoreError
from telemetry.ledger import Account
from telemetry.reading import Flag, Series
from telemetry.store.archive import Archive
from telemetry.store.head import Connection
from telemetry.store.identity import Bools, arranged
from telemetry.store.importing_roster import Roster
from telemetry.store.importing_runs import Runs
from telemetry.store.late import too_late_of_day
from telemetry.store.layout import Block, Site, Tier
from telemetry.store.manifest import dense_days, is_damaged, overlapping
from telemetry.store.part import Draft, Part, PartWriter
from telemetry.store.sealing import earlier_rows, head_rows
from telemetry.store.table import News
from telemetry.window import DAY_US, HOUR_US, Window

DRAFT_ROWS = 1_000_000
"""Rows that are sorted at once, if no series has more of one day."""

_TOLD_BY = (Tier.READINGS, Tier.HOURS)
"""What says of a reading whether it is new."""

_IN_HEAD = """SELECT id FROM series WHERE client = ? AND metric = ? AND EXISTS
    (SELECT 1 FROM reading WHERE series = series.id AND time_us >= ? AND time_us < ?)"""


@dataclass(slots=True)
class Imported:
    """What can be published: what is new of a day of files, and what is to be counted.

    Attributes:
        part: The readings that are new; None if none is.
        news: What they say of their series.
        stored: How many are new, by client and hour of receipt.
        duplicate: How many rows are readings that were there already, likewise.
    """

    part: Part | None = None
    news: list[News] = field(default_factory=list)
    stored: Counter[Account] = field(default_factory=Counter)
    duplicate: Counter[Account] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Known:
    """What the store has of series in the hours of rows; `series` is their place in a draft.

    Attributes:
        sealed: In blocks.
        head: Not yet; when it comes into blocks it is flagged where it contradicts them.
    """

    sealed: pd.DataFrame
    head: pd.DataFrame

    def __len__(self) -> int:
        return len(self.sealed) + len(self.head)


@dataclass(frozen=True, slots=True)
class _Chosen:
    """New rows by series, time and value: where they are among all, and which contradict one."""

    rows: Ints
    beside: Bools

    def without(self, some: Bools) -> "_Chosen":
        """The same, but for some of all rows."""
        left = ~some[self.rows]
        return _Chosen(self.rows[left], self.beside[left])


class Days:
    """Builds the days of an import, each in one snapshot of the store."""

    def __init__(self, connection: Connection, site: Site, runs: Runs, roster: Roster) -> None:
        self._connection = connection
        self._site = site
        self._archive = Archive(site.root)
        self._runs = runs
        self._roster = roster
        self._series = roster.series
        self._by_name = np.array(
            sorted(range(len(roster)), key=self._series.__getitem__), dtype=np.int64
        )

    def imported(self, day_us: int) -> Imported:
        """What the files have of a day.

        Raises:
            StoreError: If a block of that day cannot be read: nobody can tell what is new.
            OSError: If the part could not be written.
        """
        window = Window(day_us, day_us + DAY_US)
        if any(is_damaged(self._connection, window, tier) for tier in _TOLD_BY):
            raise StoreError(_damaged(day_us))
        blocks = overlapping(self._connection, Tier.READINGS, window)
        found = Imported()
        with PartWriter(self._site, day_us) as writer:
            for numbers in self._shares(day_us):
                draft = self._draft(window, blocks, numbers, found)
                if len(draft.frame):
                    writer.add(draft)
            found.part = writer.finish()
        return found

    def _shares(self, day_us: int) -> Iterator[Ints]:
        """The numbers of the series of a day, by name, in shares that fit into memory."""
        counts = self._runs.counts(day_us, len(self._roster))[self._by_name]
        present = np.flatnonzero(counts)
        shares = (np.cumsum(counts[present]) - 1) // DRAFT_ROWS
        for some in np.split(present, np.flatnonzero(np.diff(shares)) + 1):
            yield self._by_name[some]

    def _draft(
        self, window: Window, blocks: Sequence[Block], numbers: Ints, found: Imported
    ) -> Draft:
        """What is new of these series on a day, counted in `found`."""
        series = [self._series[number] for number in numbers]
        places = np.full(len(self._roster), -1)
        places[numbers] = np.arange(len(numbers))
        rows = self._runs.read(window.start_us, places >= 0)
        frame = _frame(rows, places)
        earlier = self._earlier(blocks, series, frame)
        known = _Known(earlier, self._in_head(series, frame, window))
        late = too_late_of_day(self._connection, self._archive, window, series, (frame, earlier))
        self._check_archive()
        chosen = _choose(known, frame, rows["text"], window.start_us).without(late)
        new = frame.iloc[chosen.rows].reset_index(drop=True)
        new["flags"] |= np.where(chosen.beside, Flag.CONFLICT.value, 0)
        _count(series, frame, chosen.rows, found)
        found.news += self._news(numbers, new)
        dense = [
            day
            for one in (series if blocks else ())
            for day in dense_days(self._connection, one, window)
        ]
        return Draft(window.start_us, series, new, earlier, dense)

    def _earlier(
        self, blocks: Sequence[Block], series: Sequence[Series], frame: pd.DataFrame
    ) -> pd.DataFrame:
        """What blocks have of these series in the hours of the rows."""
        if not blocks:
            return frame[:0]
        times, places = frame["time_us"].to_numpy(), frame["series"].to_numpy()
        first, last = np.full(len(series), times.max()), np.full(len(series), times.min())
        np.minimum.at(first, places, times)
        np.maximum.at(last, places, times)
        found = [frame[:0]]
        for place, one in enumerate(series):
            reach = int(first[place]), int(last[place])
            some = earlier_rows(self._archive, blocks, one, reach)
            if len(some):
                found.append(some.assign(series=place))
        self._check_archive()
        return pd.concat(found, ignore_index=True)

    def _check_archive(self) -> None:
        for damage in self._archive.damage.values():
            raise StoreError(f"data/blocks/{damage.path}: {damage.reason}; {_PUT_BACK}")

    def _in_head(
        self, series: Sequence[Series], frame: pd.DataFrame, window: Window
    ) -> pd.DataFrame:
        found = [frame[:0]]
        for place, one in enumerate(series):
            row = self._connection.execute(
                _IN_HEAD, (*one, window.start_us, window.end_us)
            ).fetchone()
            if row:
                some = head_rows(self._connection, row[0], window)
                found.append(some.assign(series=place))
        return pd.concat(found, ignore_index=True)

    def _news(self, numbers: Ints, new: pd.DataFrame) -> Iterator[News]:
        """What the new readings, in their order, say of each series that has any."""
        places = new["series"].to_numpy()
        begins = np.flatnonzero(np.diff(places, prepend=-1))
        ends = np.append(begins[1:], len(places))[: len(begins)]
        oldest = new["time_us"].to_numpy()[begins]
        newest = new.iloc[ends - 1]
        names = ("series", "time_us", "value", "text", "delay_us", "flags")
        columns = [newest[name].tolist() for name in names]
        for oldest_us, place, time_us, value, text, delay_us, flags in zip(
            oldest.tolist(), *columns, strict=True
        ):
            number = int(numbers[place])
            yield News(
                self._series[number],
                self._roster.kind(number),
                self._roster.unit(number),
                oldest_us,
                (time_us, value if text is None else text, time_us + delay_us, flags),
            )


_PUT_BACK = "put it back from a backup, and import again: what is stored is not stored twice"


def _damaged(day_us: int) -> str:
    date = np.datetime64(day_us, "us").astype("datetime64[D]")
    return f"a block of {date} is damaged, see .venv/bin/python -m telemetry verify; {_PUT_BACK}"


def _frame(rows: pa.Table, places: Ints) -> pd.DataFrame:
    """The rows as a draft has them, in their order."""
    times = rows["time_us"].to_numpy()
    return pd.DataFrame(
        {
            "series": places[rows["series"].to_numpy()],
            "time_us": times,
            "value": rows["value"].to_numpy(),
            "text": _texts(rows["text"].combine_chunks()),
            "delay_us": rows["received_us"].to_numpy() - times,
            "flags": rows["flags"].to_numpy().astype(np.int64),
        }
    )


def _texts(column: pa.Array) -> pd.Series:
    found = np.full(len(column), None, dtype=object)
    if column.null_count < len(column):
        there = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
        encoded = column.drop_null().dictionary_encode()
        names = np.array(encoded.dictionary.to_pylist(), dtype=object)
        found[there] = names[encoded.indices.to_numpy()]
    return pd.Series(found, dtype=object)


def _choose(known: _Known, frame: pd.DataFrame, texts: pa.ChunkedArray, day_us: int) -> _Chosen:
    """Which rows are new: neither known nor the same as one before."""
    every = (known.sealed, known.head, frame)
    times, values, places = (
        np.concatenate([one[name].to_numpy() for one in every])
        for name in ("time_us", "value", "series")
    )
    keys = places * DAY_US + (times - day_us)
    order, again = arranged(keys, values, _ranks(every[:2], texts))
    kept = order[~again]
    kept = kept[(kept < len(known.sealed)) | (kept >= len(known))]
    beside = _beside(keys[kept], kept)
    new = kept >= len(known)
    return _Chosen(kept[new] - len(known), beside[new])


def _ranks(known: Sequence[pd.DataFrame], texts: pa.ChunkedArray) -> Ints:
    """The texts of all as numbers in the order of their names, -1 where there is none."""
    earlier = [pa.array(one["text"], pa.string()) for one in known]
    both = pa.chunked_array([*earlier, *texts.chunks], pa.string())
    if both.null_count == len(both):
        return np.full(len(both), -1)
    encoded = both.combine_chunks().dictionary_encode()
    names = encoded.dictionary.to_pylist()
    ranks = np.empty(len(names), np.int64)
    ranks[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names))
    codes = encoded.indices.fill_null(0).to_numpy()
    return np.where(encoded.is_null().to_numpy(zero_copy_only=False), -1, ranks[codes])


def _beside(keys: Ints, rows: Ints) -> Bools:
    """Which rows have the series and time of another that came before them; keys ascend."""
    if not np.any(keys[1:] == keys[:-1]):
        return np.zeros(len(keys), dtype=bool)
    begins = np.flatnonzero(np.diff(keys, prepend=keys[0] - 1))
    firsts = np.minimum.reduceat(rows, begins)
    beside: Bools = rows != np.repeat(firsts, np.diff(begins, append=len(keys)))
    return beside


def _count(series: Sequence[Series], frame: pd.DataFrame, new: Ints, found: Imported) -> None:
    """Counts rows by client and hour of receipt: those that are new, and the others."""
    clients = {name: number for number, name in enumerate(dict.fromkeys(one[0] for one in series))}
    names = [*clients]
    owners = np.array([clients[one.client] for one in series], np.int64)
    hours = (frame["time_us"].to_numpy() + frame["delay_us"].to_numpy()) // HOUR_US
    places, accounts = pd.factorize(hours * len(names) + owners[frame["series"].to_numpy()])
    every = np.bincount(places, minlength=len(accounts))
    stored = np.bincount(places[new], minlength=len(accounts))
    for account, number, fresh in zip(
        accounts.tolist(), every.tolist(), stored.tolist(), strict=True
    ):
        key = Account(names[account % len(names)], account // len(names) * HOUR_US)
        found.stored[key] += fresh
        found.duplicate[key] += number - fresh
