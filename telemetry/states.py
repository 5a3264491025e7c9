"""Rolling figures of states: the share of time in each, and the changes between them.

A state begins with its reading and holds until the next one, for at most three expected intervals
and never back in time. Of several readings at one instant the one stored last holds (the order is
time, value, text); the others last no time. All times are integers: nothing is lost to rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telemetry.exact import Floats, Ints
from telemetry.held import FOREVER_US, hold
from telemetry.reading import state_text


def samples_of_states(frame: pd.DataFrame) -> pd.DataFrame:
    """Readings as `rolling_states` takes them: one row per instant, the state by its name.

    Args:
        frame: `time_us` (int64), `value` (float64) and `text` (object, the state, or None where
            the value is it), in the order stored: time, value, text.

    Returns:
        Index `time_us`, sorted and unique; column `state` (category).

    >>> door = pd.DataFrame({"time_us": [0, 9], "value": [1.0, None], "text": [None, "jammed"]})
    >>> samples_of_states(door)["state"].tolist()
    ['on', 'jammed']
    """
    times = frame["time_us"].to_numpy(dtype=np.int64)
    last = frame[np.diff(times, append=FOREVER_US) > 0]
    by_text, texts = pd.factorize(last["text"])
    by_value, values = pd.factorize(last["value"])
    names = np.array([*texts, *map(state_text, values.tolist())], dtype=object)
    states, places = np.unique(names, return_inverse=True)
    codes = places[np.where(by_text >= 0, by_text, by_value + len(texts))]
    state = pd.Categorical.from_codes(codes, pd.Index(states, dtype=object))
    return pd.DataFrame({"state": state}, index=pd.Index(last["time_us"], name="time_us"))


def rolling_states(
    samples: pd.DataFrame, span_us: int, interval_us: int | None, instants: Sequence[int] | Ints
) -> pd.DataFrame:
    """What holds at each instant `t`, and what happened in the span `(t - span, t]` before it.

    A change is a reading whose state is another than that of the reading before, while that one
    still held, inside the span or before it. A state that comes again after a pause is no change.

    Args:
        samples: From `samples_of_states`; must reach a span and `telemetry.held.HOLD_INTERVALS`
            intervals further back than the first instant.
        span_us: The width of the span, in µs.
        interval_us: The expected reporting interval in µs. `None` if unknown: a state holds until
            the next one, and none from before the span counts.
        instants: In µs.

    Returns:
        One row per instant, in order: `time_us` (int64), `state` (category, missing where none
        holds), `lasted_us` (float64, for how long it has without a pause, as far as the samples
        reach back; NaN without a state), `share` (float64, of that state in the known time; 1 at
        the very instant of the first reading; NaN without a state), `changes` (int64) and
        `coverage` (float64, 0 to 1: known time / span; NaN if the interval is unknown).

    >>> door = pd.DataFrame({"time_us": [0, 10, 16], "value": [0.0, 1.0, 0.0], "text": None})
    >>> rolling_states(samples_of_states(door), 20, 10, [20, 60])
       time_us state  lasted_us  share  changes  coverage
    0       20   off        4.0    0.7        2       1.0
    1       60   NaN        NaN    NaN        0       0.3
    """
    line = _timeline(samples, interval_us)
    ends = line.at(np.asarray(instants, dtype=np.int64))
    starts = line.starts(ends, span_us)
    codes = line.holding(starts, ends)
    share = _ratio(*line.spent_of_known_us(codes, starts, ends))
    coverage = line.known_us(starts, ends) / span_us
    return pd.DataFrame(
        {
            "time_us": ends.at_us,
            "state": pd.Categorical.from_codes(codes, samples["state"].cat.categories),
            "lasted_us": np.where(codes < 0, np.nan, line.lasted_us(ends)),
            "share": np.where(codes < 0, np.nan, share),
            "changes": line.changes(starts, ends),
            "coverage": coverage if interval_us else np.full(len(codes), np.nan),
        }
    )


def share_of(
    samples: pd.DataFrame,
    name: str,
    span_us: int,
    interval_us: int | None,
    instants: Sequence[int] | Ints,
) -> Floats:
    """The share of the known time in `(t - span, t]` that was spent in one state.

    Args:
        samples: As in `rolling_states`, like the others.
        name: Of the state, which need not be among the samples; `on` of a boolean.
        span_us: As there.
        interval_us: As there.
        instants: As there.

    Returns:
        One number per instant, in order. At the very instant of the first reading it is 1 or 0;
        NaN where no state is known.

    >>> door = pd.DataFrame({"time_us": [0, 10, 16], "value": [0.0, 1.0, 0.0], "text": None})
    >>> share_of(samples_of_states(door), "on", 20, 10, [0, 20]).tolist()
    [0.0, 0.3]
    """
    line = _timeline(samples, interval_us)
    ends = line.at(np.asarray(instants, dtype=np.int64))
    code = samples["state"].cat.categories.get_indexer(pd.Index([name], dtype=object))
    return _ratio(*line.spent_of_known_us(code, line.starts(ends, span_us), ends))


def state_shares(
    samples: pd.DataFrame,
    span_us: int,
    interval_us: int | None,
    instants: Sequence[int] | Ints,
    at_most: int,
) -> pd.DataFrame:
    """The shares of the known time in `(t - span, t]` that were spent in each state.

    Args:
        samples: As in `rolling_states`, like the other arguments.
        span_us: As there.
        interval_us: As there.
        instants: As there; at least one.
        at_most: So many states have a column; clients may invent any number of states.

    Returns:
        Index `time_us`, one row per instant, in order. A column (float64) for each state that held
        between the first span's start and the last instant, the longest first, then by name; the
        last column, named `None`, is the share of all others. A row sums to 1. At the very instant
        of the first reading all is its state's; where no state is known, the row is NaN.

    >>> door = pd.DataFrame({"time_us": [0, 10, 16], "value": [0.0, 1.0, 0.0], "text": None})
    >>> state_shares(samples_of_states(door), 20, 10, [20], at_most=2).iloc[0].to_dict()
    {'off': 0.7, 'on': 0.3, None: 0.0}
    """
    line = _timeline(samples, interval_us)
    ends = line.at(np.asarray(instants, dtype=np.int64))
    starts = line.starts(ends, span_us)
    states = samples["state"].cat.categories
    whole = line.at(starts.at_us.min()), line.at(ends.at_us.max())
    total_us = line.spent_us(np.arange(len(states)), *whole)
    held = total_us > 0
    codes = line.holding(starts, ends)
    held[codes[codes >= 0]] = True
    longest = np.argsort(-total_us, kind="stable")
    longest = longest[held[longest]][:at_most]
    spent_us, known_us = line.spent_of_known_us(longest[:, np.newaxis], starts, ends)
    shares = _ratio(np.vstack([spent_us, known_us - spent_us.sum(axis=0)]), known_us)
    names = pd.Index([*states[longest], None], dtype=object)
    return pd.DataFrame(shares.T, pd.Index(ends.at_us, name="time_us"), names)


def _ratio(part_us: Ints, whole_us: Ints) -> Floats:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole_us > 0, part_us / whole_us, np.nan)


@dataclass(frozen=True, slots=True)
class _Moments:
    """Instants on a timeline.

    Attributes:
        at_us: When.
        places: The last reading at each or before.
        ahead_us: How long its state still holds.
    """

    at_us: Ints
    places: Ints
    ahead_us: Ints


@dataclass(frozen=True, slots=True)
class _Timeline:
    """The readings in order, after one of no state that lasts no time before all of them.

    Attributes:
        times_us: When each came.
        codes: Which state it said, as the samples number them; -1 is none.
        held_us: How long that held.
        follows: Whether the state before still held when it came.
        reaches_in: Whether a state from before a span counts in it.
    """

    times_us: Ints
    codes: Ints
    held_us: Ints
    follows: NDArray[np.bool_]
    reaches_in: bool

    def at(self, at_us: Ints) -> _Moments:
        """The instants on this timeline."""
        places = np.searchsorted(self.times_us, at_us, side="right") - 1
        ahead_us = np.maximum(self.times_us[places] + self.held_us[places] - at_us, 0)
        return _Moments(at_us, places, ahead_us)

    def starts(self, ends: _Moments, span_us: int) -> _Moments:
        """Where the spans that end there begin: with their first reading if none reaches in."""
        starts = self.at(ends.at_us - span_us)
        if self.reaches_in:
            return starts
        after = np.append(self.times_us, FOREVER_US)[starts.places + 1]
        return self.at(np.minimum(after, ends.at_us))

    def holding(self, starts: _Moments, ends: _Moments) -> Ints:
        """The state that holds at each end, -1 if none."""
        holds = ends.at_us <= self.times_us[ends.places] + self.held_us[ends.places]
        if not self.reaches_in:
            holds &= self.times_us[ends.places] >= starts.at_us
        return np.where(holds, self.codes[ends.places], -1)

    def lasted_us(self, ends: _Moments) -> Ints:
        """For how long the state of the last reading has held without a pause."""
        begins = ~self.follows | self._differs
        places = np.maximum.accumulate(np.where(begins, np.arange(len(begins)), 0))
        return ends.at_us - self.times_us[places[ends.places]]

    def changes(self, starts: _Moments, ends: _Moments) -> Ints:
        """How often the state changed after each start."""
        counted = np.cumsum(self.follows & self._differs, dtype=np.int64)
        found: Ints = counted[ends.places] - counted[starts.places]
        return found

    def known_us(self, starts: _Moments, ends: _Moments) -> Ints:
        """How long any state held."""
        total: Ints = np.cumsum(self.held_us)
        return total[ends.places] - ends.ahead_us - (total[starts.places] - starts.ahead_us)

    def spent_us(self, codes: Ints, starts: _Moments, ends: _Moments) -> Ints:
        """How long the states of these codes held."""
        order = np.argsort(self.codes, kind="stable")
        keys = self.codes[order] * len(order) + order
        total = np.append(0, np.cumsum(self.held_us[order]))

        def until(some: _Moments) -> Ints:
            found = np.searchsorted(keys, codes * len(order) + some.places, side="right")
            ahead_us = some.ahead_us * (self.codes[some.places] == codes)
            held: Ints = total[found] - ahead_us
            return held

        return until(ends) - until(starts)

    def spent_of_known_us(self, codes: Ints, starts: _Moments, ends: _Moments) -> tuple[Ints, Ints]:
        """How long the states of these codes held, and how long any did.

        At the instant of a first reading that is 0 of 0; its state has 1 of 1 then.
        """
        known_us, state = self.known_us(starts, ends), self.holding(starts, ends)
        at_once = (known_us == 0) & (state >= 0)
        spent_us = np.where(at_once, codes == state, self.spent_us(codes, starts, ends))
        return spent_us, np.where(at_once, 1, known_us)

    @property
    def _differs(self) -> NDArray[np.bool_]:
        """Whether a reading says another state than the one before."""
        return np.append(False, self.codes[1:] != self.codes[:-1])


def _timeline(samples: pd.DataFrame, interval_us: int | None) -> _Timeline:
    held_us = hold(interval_us).inside_us
    times_us = np.append(-FOREVER_US, samples.index.to_numpy(dtype=np.int64))
    codes = np.append(-1, samples["state"].cat.codes.to_numpy(dtype=np.int64))
    gaps_us = np.diff(times_us)
    each_us = np.minimum(np.append(gaps_us, held_us), held_us)
    each_us[0] = 0
    follows = np.append(False, gaps_us == each_us[:-1])
    return _Timeline(times_us, codes, each_us, follows, bool(interval_us))
