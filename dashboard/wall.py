"""The time axis of charts: it goes forward also in the night in which clocks go back.

plotly.js knows no zones: a date axis is a wall clock without an offset. Two instants of the hour
that comes twice would share a place on it, and lines would run backwards. So the whole axis has
the offset of the window's start. Where clocks change within the window, ticks and hover texts
come from here and say what clocks show, with the name of the offset beside the change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from telemetry.window import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Window, offset_us

_STEPS_US = (
    *(n * SECOND_US for n in (1, 2, 5, 10, 15, 30)),
    *(n * MINUTE_US for n in (1, 2, 5, 10, 15, 30)),
    *(n * HOUR_US for n in (1, 2, 3, 6, 12)),
    *(n * DAY_US for n in (1, 2, 7, 14)),
)
_LONGEST_US = 60 * DAY_US
"""In a window longer than that an hour is about a pixel: plotly's own ticks are as good."""

_NEAREST = 0.8
"""Ticks stand no nearer to each other than this share of a step of more than an hour."""

_LOOKS = 300
"""So often at most the offset is looked up: in ten years each twelve days."""

_REACH_US, _REACH_SHARE = 2 * HOUR_US, 100
"""Buckets at the edges reach so far out of the window, or by that part of its length."""


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The axis of a window in a zone.

    Attributes:
        window: What is seen.
        zone: Whose clocks it shows.
        changes: When they change, in the window and a little around it, oldest first.
    """

    window: Window
    zone: tzinfo
    changes: tuple[int, ...]

    @property
    def fixed(self) -> tzinfo:
        """The offset of the window's start: in it, instants are places on the axis."""
        return timezone(timedelta(microseconds=offset_us(self.window.start_us, self.zone)))

    @property
    def marked(self) -> Sequence[int]:
        """The changes to be marked: those that are seen."""
        if self.window.length_us > _LONGEST_US:
            return ()
        return [at for at in self.changes if self.window.start_us < at < self.window.end_us]

    def places(self, times_us: ArrayLike) -> list[str]:
        """Where instants stand, as plotly.js takes them: to the millisecond."""
        places_us = np.asarray(times_us, dtype=np.int64)
        places_us = places_us + offset_us(self.window.start_us, self.zone)
        texts: list[str] = np.datetime_as_string(
            (places_us // 1000).astype("datetime64[ms]")
        ).tolist()
        return texts

    def clocks(self, times_us: NDArray[np.int64]) -> list[str]:
        """What clocks show at instants, to the second, with the name of the offset."""
        begins = [self.changes[0] - 1, *self.changes]
        names = [zone_name(at, self.zone) for at in begins]
        part = np.searchsorted(np.array(self.changes), times_us, side="right")
        shifts_us = np.array([offset_us(at, self.zone) for at in begins])[part]
        seconds = ((times_us + shifts_us) // SECOND_US).astype("datetime64[s]")
        texts = zip(np.datetime_as_string(seconds).tolist(), part.tolist(), strict=True)
        return [f"{text[:10]} {text[11:]} {names[n]}" for text, n in texts]

    def ticks(self, at_most: int) -> tuple[list[str], list[str]]:
        """Places and texts of ticks at round times of the clock."""
        step_us = next(
            (step for step in _STEPS_US if self.window.length_us <= step * at_most), _STEPS_US[-1]
        )
        times = list(_apart(_round_times(self, step_us), step_us))
        beside = {at for change in self.marked for at in _beside(times, change)}
        texts, before = [], ""
        for at in times:
            text, day = _tick(at, self.zone, step_us)
            name = f" {zone_name(at, self.zone)}" if at in beside and step_us < DAY_US else ""
            texts.append(f"{text}{name}" + (f"<br>{day}" if day != before else ""))
            before = day
        return self.places(times), texts


@lru_cache(maxsize=16)
def axis_of(window: Window, zone: tzinfo) -> TimeAxis:
    """The time axis of a window in a zone."""
    reach_us = max(_REACH_US, window.length_us // _REACH_SHARE)
    return TimeAxis(window, zone, tuple(_changes(window, reach_us, zone)))


def zone_name(time_us: int, zone: tzinfo) -> str:
    """What the offset of a zone is called at a time, such as `CET` or `-03`."""
    return datetime.fromtimestamp(time_us // SECOND_US, zone).tzname() or ""


def _changes(window: Window, reach_us: int, zone: tzinfo) -> Iterator[int]:
    start_s = (window.start_us - reach_us) // SECOND_US
    end_s = (window.end_us + reach_us) // SECOND_US
    step_s = max(86_400, (end_s - start_s) // _LOOKS)
    for before, after in pairwise([*range(start_s, end_s, step_s), end_s]):
        if offset_us(before * SECOND_US, zone) != offset_us(after * SECOND_US, zone):
            yield _change_s(before, after, zone) * SECOND_US


def _change_s(before: int, after: int, zone: tzinfo) -> int:
    """The first second at which clocks show another offset than before."""
    offset = offset_us(before * SECOND_US, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if offset_us(middle * SECOND_US, zone) == offset:
            before = middle
        else:
            after = middle
    return after


def _round_times(axis: TimeAxis, step_us: int) -> Iterator[int]:
    """The instants of the window at which clocks show a multiple of the step."""
    inside = [at for at in axis.changes if axis.window.start_us < at < axis.window.end_us]
    for begin, end in pairwise([axis.window.start_us, *inside, axis.window.end_us]):
        shift_us = offset_us(begin, axis.zone)
        first = -(-(begin + shift_us) // step_us) * step_us - shift_us
        yield from range(first, end, step_us)


def _apart(times: Iterator[int], step_us: int) -> Iterator[int]:
    least_us = _NEAREST * step_us if step_us > HOUR_US else 0
    before: int | None = None
    for at in times:
        if before is None or at - before >= least_us:
            yield at
            before = at


def _beside(times: Sequence[int], change: int) -> Iterator[int]:
    """The last tick before a change and the first after it."""
    yield from [at for at in times if at < change][-1:]
    yield from [at for at in times if at >= change][:1]


def _tick(time_us: int, zone: tzinfo, step_us: int) -> tuple[str, str]:
    """What a tick says, and what it says below that where it is another than before."""
    moment = datetime.fromtimestamp(time_us // SECOND_US, zone)
    if step_us >= DAY_US:
        return f"{moment:%b} {moment.day}", f"{moment.year}"
    clock = f"{moment:%H:%M}" if step_us >= MINUTE_US else f"{moment:%H:%M:%S}"
    return clock, f"{moment:%b} {moment.day}, {moment.year}"
