"""Rollups: what a series comes down to in an aligned interval, such that parts can be merged."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from telemetry.exact import Floats, Ints, sums_of_runs
from telemetry.window import SECOND_US

COLUMNS = (
    "count", "sum", "sumsq", "min", "max", "first", "last", "first_us", "last_us", "integral",
    "states",
)  # fmt: skip
"""What a rollup says beside its series and its start.

`count`, `sum`, `sumsq` (of the squares), `min` and `max` are of the numbers. `first` and `last` are
the values at `first_us` and `last_us`; of several at one time the smallest is the first and the
largest the last. `integral` is in value times seconds: each number counts until the next one of the
same interval. `states` counts the readings that are texts.
"""

_KEYS = ["series", "time_us"]
_NO_NUMBER = {"count": 0, "sum": 0.0, "sumsq": 0.0, "first_us": 0, "last_us": 0, "integral": 0.0}


def roll(series: Ints, time_us: Ints, value: Floats, width_us: int) -> pd.DataFrame:
    """The rollups of readings over aligned intervals of `width_us`.

    Args:
        series: A number for the series of each reading, ascending.
        time_us: When it was measured, ascending within a series; values at one time ascend too.
        value: A finite number, or NaN for a state.
        width_us: In microseconds.

    Returns:
        A frame with the columns `series`, `time_us` (int64: the start) and `COLUMNS`, by series
        and start. Intervals without readings are absent; in those without numbers `min`, `max`,
        `first` and `last` are NaN and all else is 0 but `states`.
    """
    start_us = time_us - time_us % width_us
    numbers = ~np.isnan(value)
    if numbers.all():
        return _roll_numbers(series, start_us, time_us, value).assign(states=0)
    rolled = _roll_numbers(series[numbers], start_us[numbers], time_us[numbers], value[numbers])
    firsts = _firsts(series, start_us)
    states = np.add.reduceat((~numbers).astype(np.int64), firsts)
    every = pd.DataFrame(
        {"series": series[firsts], "time_us": start_us[firsts], "states": states}
    ).merge(rolled, how="left", on=_KEYS)
    every = every.fillna(_NO_NUMBER)
    return every.astype(dict.fromkeys(("count", "first_us", "last_us"), np.int64))[
        [*_KEYS, *COLUMNS]
    ]


def _roll_numbers(series: Ints, start_us: Ints, time_us: Ints, value: Floats) -> pd.DataFrame:
    firsts = _firsts(series, start_us)
    lasts = np.append(firsts[1:], len(series))[: len(firsts)] - 1
    held_s = np.diff(time_us, append=0) / SECOND_US
    held_s[lasts] = 0.0
    parts = {
        "series": series[firsts],
        "time_us": start_us[firsts],
        "count": lasts - firsts + 1,
        "sum": sums_of_runs(value, firsts),
        "sumsq": sums_of_runs(value * value, firsts),
        "min": _reduce(np.minimum, value, firsts),
        "max": _reduce(np.maximum, value, firsts),
        "first": value[firsts],
        "last": value[lasts],
        "first_us": time_us[firsts],
        "last_us": time_us[lasts],
        "integral": sums_of_runs(value * held_s, firsts),
    }
    return pd.DataFrame(parts)


def _firsts(series: Ints, start_us: Ints) -> Ints:
    """Where each run of one series and one interval begins."""
    begins = np.ones(len(series), dtype=bool)
    begins[1:] = (series[1:] != series[:-1]) | (start_us[1:] != start_us[:-1])
    return np.flatnonzero(begins)


def _reduce(how: np.ufunc, values: Floats, firsts: Ints) -> Floats:
    return how.reduceat(values, firsts) if len(firsts) else values[:0]


def merge(parts: Sequence[pd.DataFrame], width_us: int) -> pd.DataFrame:
    """Rollups merged into aligned intervals of `width_us`, which their own width divides.

    Parts may overlap in time: a late part was made to add to those before it. Where parts meet, the
    last value of one interval is held until the first of the next; within one interval the late
    part's `integral` has seen to it already.

    Args:
        parts: As from `roll`, all of one width.
        width_us: In microseconds.
    """
    rows = combine(pd.concat(parts, ignore_index=True))
    rows["start_us"] = rows["time_us"] - rows["time_us"] % width_us
    some = rows[rows["count"] > 0]
    before = some.groupby(["series", "start_us"], sort=False)[["last", "last_us"]].shift()
    held = before["last"] * (some["first_us"] - before["last_us"]) / SECOND_US
    rows["integral"] += held.reindex(rows.index).fillna(0.0)
    return combine(rows.drop(columns="time_us").rename(columns={"start_us": "time_us"}))


def combine(rows: pd.DataFrame) -> pd.DataFrame:
    """One row for each series and start, by both, out of parts that were made to add up."""
    if not rows.duplicated(_KEYS).any():
        return rows.sort_values(_KEYS, ignore_index=True)[[*_KEYS, *COLUMNS]]
    numbers = rows["count"] > 0
    firsts = rows[numbers].sort_values(["first_us", "first"]).groupby(_KEYS)[["first", "first_us"]]
    lasts = rows[numbers].sort_values(["last_us", "last"]).groupby(_KEYS)[["last", "last_us"]]
    sums = rows.groupby(_KEYS).agg(
        {"count": "sum", "sum": "sum", "sumsq": "sum", "min": "min", "max": "max",
         "integral": "sum", "states": "sum"}
    )  # fmt: skip
    found = sums.join([firsts.first(), lasts.last()])
    found = found.fillna({"first_us": 0, "last_us": 0}).reset_index()
    return found.astype({"first_us": np.int64, "last_us": np.int64})[[*_KEYS, *COLUMNS]]
