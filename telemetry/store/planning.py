"""Planning: which part of a window readings answer, and which part their rollups."""

from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

from telemetry.reading import Series
from telemetry.store.head import Connection
from telemetry.store.layout import Tier
from telemetry.store.manifest import Dense, dense_days
from telemetry.window import DAY_US, HOUR_US, MINUTE_US, Window


class Plan(NamedTuple):
    """What answers a window.

    Attributes:
        rolled: Rollups of which tier that begin where.
        raw: Readings from where.
    """

    rolled: list[tuple[Tier, Window]]
    raw: list[Window]

    def plus(self, other: "Plan") -> "Plan":
        """Both."""
        return Plan([*self.rolled, *other.rolled], [*self.raw, *other.raw])


class Planner:
    """Plans for one series.

    Args:
        connection: In a snapshot.
        series: Which.
        from_us: The readings that were measured before are over.
    """

    def __init__(self, connection: Connection, series: Series, from_us: int) -> None:
        self._connection = connection
        self._series = series
        self._from_us = from_us

    def buckets(self, window: Window, bucket_us: int) -> Plan:
        """What is exact and costs least; where readings are over, the finest that is left.

        There a rollup counts where it begins, however narrow the bucket.
        """
        over, kept = parted(window, self._from_us)
        plan = Plan([], []) if over is None else self._of_over(over, bucket_us)
        return plan if kept is None else plan.plus(self._of_kept(kept, bucket_us))

    def count(self, window: Window) -> Plan:
        """What says how many readings there are: those that are over are none."""
        over, kept = parted(window, self._from_us)
        plan = Plan([], [] if over is None else [over])
        return plan if kept is None else plan.plus(_inner(Tier.HOURS, HOUR_US, kept))

    def grain_us(self, window: Window) -> int:
        """The width of the coarsest rollups that answer for readings that are over, or 0."""
        over, _ = parted(window, self._from_us)
        if over is None:
            return 0
        coarse = any(not dense for dense, _ in self._by_density(over))
        return HOUR_US if coarse else MINUTE_US

    def _of_kept(self, window: Window, bucket_us: int) -> Plan:
        if bucket_us % HOUR_US == 0:
            return _inner(Tier.HOURS, HOUR_US, window)
        plan = Plan([], [])
        if bucket_us % MINUTE_US:
            return Plan([], [window])
        for dense, part in self._by_density(window):
            plan = plan.plus(_inner(Tier.MINUTES, MINUTE_US, part) if dense else Plan([], [part]))
        return plan

    def _of_over(self, window: Window, bucket_us: int) -> Plan:
        if bucket_us % HOUR_US:
            return self._finest(window)
        plan = _inner(Tier.HOURS, HOUR_US, window)
        edges = [self._finest(part) for part in plan.raw]
        return Plan([*plan.rolled, *(one for edge in edges for one in edge.rolled)], [])

    def _finest(self, window: Window) -> Plan:
        parts = self._by_density(window)
        return Plan([(Tier.MINUTES if dense else Tier.HOURS, part) for dense, part in parts], [])

    def _by_density(self, window: Window) -> Iterator[tuple[bool, Window]]:
        """The window in parts: whether there are minutes of it, and which part."""
        start_us = window.start_us
        for part in _stretches(dense_days(self._connection, self._series, window)):
            if part.end_us <= window.start_us or part.start_us >= window.end_us:
                continue
            inside = Window(max(part.start_us, window.start_us), min(part.end_us, window.end_us))
            if start_us < inside.start_us:
                yield False, Window(start_us, inside.start_us)
            yield True, inside
            start_us = inside.end_us
        if start_us < window.end_us:
            yield False, Window(start_us, window.end_us)


def parted(window: Window, at_us: int) -> tuple[Window | None, Window | None]:
    """What of a window lies before, and what from there on.

    >>> parted(Window(1, 5), 3), parted(Window(1, 5), 5)
    ((Window(start_us=1, end_us=3), Window(start_us=3, end_us=5)), \
(Window(start_us=1, end_us=5), None))
    """
    if at_us <= window.start_us:
        return None, window
    if at_us >= window.end_us:
        return window, None
    return Window(window.start_us, at_us), Window(at_us, window.end_us)


def split_at(window: Window, hours: Collection[int]) -> Iterator[tuple[Window, bool]]:
    """The window in parts, and whether each is of one of these hours since 1970.

    >>> hour = HOUR_US
    >>> [late for _, late in split_at(Window(0, 3 * hour), {1})]
    [False, True, False]
    """
    start_us = window.start_us
    for hour in sorted(hours):
        begin_us, end_us = hour * HOUR_US, (hour + 1) * HOUR_US
        if end_us <= window.start_us or begin_us >= window.end_us:
            continue
        if start_us < begin_us:
            yield Window(start_us, begin_us), False
        yield Window(max(begin_us, start_us), min(end_us, window.end_us)), True
        start_us = end_us
    if start_us < window.end_us:
        yield Window(start_us, window.end_us), False


def _inner(tier: Tier, width_us: int, window: Window) -> Plan:
    """The whole intervals of a window, and what is left at its edges."""
    start_us = -(-window.start_us // width_us) * width_us
    end_us = window.end_us // width_us * width_us
    if end_us <= start_us:
        return Plan([], [window])
    edges = [(window.start_us, start_us), (end_us, window.end_us)]
    return Plan(
        [(tier, Window(start_us, end_us))], [Window(*one) for one in edges if one[0] < one[1]]
    )


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
