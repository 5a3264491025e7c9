"""How often a series reports: learned from the times of its newest readings, or set.

What is said rests on the stored times alone: after a restart, late data or an erasure it is what
anybody finds who looks at the store anew. `cadence_of` looks at the newest `GAPS` gaps so:

1. A change wins: if a split into older and newer gaps explains at least four gaps more than one
   interval does, only the newer ones count. Those that agree must last an old
   interval together: else they may be a burst between two readings of the old one.
2. Bursts are one report each: if at least four gaps are more than 20 times the middle one, and
   these agree with each other, gaps run from the start of one burst to that of the next.
3. One, two or three gaps make a beat: the interval is the middle length of a beat by its gaps,
   for the beat that most of the series agrees with. A regular gap is so never more than three
   intervals long, and not mistaken for silence.

A gap agrees if it is within a quarter of the interval. The interval in words of examples:

| what arrives | what is said |
|---|---|
| every 10 s, each some ms early or late | 10 s |
| every 10 s, four of ten lost at random | 10 s |
| every 1 s, then every 60 s | 60 s, with the fourth gap of that length |
| every 60 s, then every 1 s | 1 s, after a minute |
| every 10 s, with outages between | 10 s |
| every 10 s, some twice or forty at once | 10 s |
| twenty at once, each minute | 60 s |
| 5 s and 55 s by turns | 30 s |
| when something happens | irregular: nothing is expected |
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

from telemetry.reading import Latest, Series

GAPS = 64
"""How many of the newest gaps are looked at: enough to outvote outages and losses."""

_IMAGINED = 3  # gaps that disagree, against trust in few
_LEAST_CONFIDENCE = 0.4
_LEAST_GAPS = 2
_EXPLAINED_MORE = 4
_KNOWN_BEFORE = 0.1  # with losses, double gaps come in runs but are nothing new
_BURST_RATIO, _LEAST_BURSTS, _BURSTS_AGREE = 20, 4, 0.75
_BEATS = (1, 2, 3)
_STALE, _LOST = 3, 10


class SetBy(StrEnum):
    """Where an expected interval comes from."""

    LEARNED = "learned"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Cadence:
    """How often and how evenly a series reports.

    Attributes:
        interval_us: The expected reporting interval.
        jitter_us: Half of the gaps are at least so near to the interval: the median absolute
            deviation. Where gaps alternate it is that of the whole beat.
        confidence: The share of the gaps within a quarter of the interval, of which three more
            are imagined that are not: below 1, and low for few gaps. 1 for a setting.
        gaps: How many it was learned from.
        set_by: Whether it was learned or set.
    """

    interval_us: int
    jitter_us: int
    confidence: float
    gaps: int
    set_by: SetBy = SetBy.LEARNED

    @property
    def is_regular(self) -> bool:
        """Whether readings can be expected at all."""
        return self.confidence >= _LEAST_CONFIDENCE

    @property
    def stale_us(self) -> float:
        """A silence that is longer is no chance: three intervals, infinite if irregular."""
        return _STALE * self.interval_us if self.is_regular else math.inf

    @property
    def lost_us(self) -> float:
        """After a longer silence nobody should wait: ten intervals, infinite if irregular."""
        return _LOST * self.interval_us if self.is_regular else math.inf

    @property
    def gap_us(self) -> int:
        """Readings further apart are not joined by a line: three intervals, ten if irregular."""
        return (_STALE if self.is_regular else _LOST) * self.interval_us

    def missing(self, count: int, length_us: int) -> float:
        """The share of the readings expected in a window that are not there; NaN if irregular.

        Args:
            count: How many are there.
            length_us: How wide the window is.

        >>> Cadence(10, 0, 0.9, 60).missing(7, 100)
        0.3
        """
        if not self.is_regular:
            return math.nan
        expected = length_us / self.interval_us
        return max(0.0, expected - count) / expected


@dataclass(frozen=True, slots=True)
class IntervalRule:
    """The interval of series whose names fit two patterns, in which `*` and `?` stand for more.

    >>> IntervalRule("demo-*", "*", 10).fits(Series("demo-solar", "power"))
    True
    """

    client: str
    metric: str
    interval_us: int

    def fits(self, series: Series) -> bool:
        """Whether it is meant for that series; upper and lower case differ."""
        return series.fits(self.client, self.metric)


IntervalRules = Sequence[IntervalRule]
"""The first that fits a series decides."""


def overruled(learned: Cadence | None, series: Series, rules: IntervalRules) -> Cadence | None:
    """The cadence of a series with the interval that is set for it, if one is.

    >>> overruled(None, Series("a", "b"), [IntervalRule("a", "*", 10)]).interval_us
    10
    """
    rule = next((one for one in rules if one.fits(series)), None)
    if rule is None:
        return learned
    known = learned or Cadence(rule.interval_us, 0, 1.0, 0)
    return replace(known, interval_us=rule.interval_us, confidence=1.0, set_by=SetBy.SETTING)


def expected_us(cadence: Cadence | None) -> int | None:
    """The interval that `rolling_mean` counts by; `None` if unknown or irregular."""
    return cadence.interval_us if cadence is not None and cadence.is_regular else None


def cadence_of(times_us: Iterable[int]) -> Cadence | None:
    """What the times of the newest readings say; `None` with fewer than three instants.

    Args:
        times_us: In any order, `GAPS` + 1 of them. Readings of the same instant count once.

    >>> said = cadence_of([0, 10, 20, 30, 500])
    >>> said.interval_us, said.gaps, round(said.confidence, 2), said.is_regular
    (10, 4, 0.43, True)
    >>> cadence_of([7, 7, 9]) is None
    True
    """
    instants = sorted(set(times_us))
    if len(instants) <= _LEAST_GAPS:
        return None
    newest = _newest_regime(_gaps(instants))
    return _of_gaps(_between_bursts(newest))


def _of_gaps(gaps: Sequence[int]) -> Cadence:
    """By the beat that most agree with, the shortest if several do."""
    found = (_by_beat(gaps, beat) for beat in _BEATS if beat <= len(gaps))
    return max(found, key=lambda one: one.confidence)


def _by_beat(gaps: Sequence[int], beat: int) -> Cadence:
    lengths = [sum(gaps[start : start + beat]) for start in range(len(gaps) - beat + 1)]
    ordered = sorted(lengths)
    middle = _middle(ordered)
    agreeing = len(_near(ordered, middle, middle // beat))
    jitter_us = _middle(sorted(abs(one - middle) for one in ordered))
    return Cadence(middle // beat, jitter_us, agreeing / (len(ordered) + _IMAGINED), len(gaps))


def _newest_regime(gaps: list[int]) -> list[int]:
    """The gaps since the interval last changed; all of them if it did not."""
    while (start := _newest_change(gaps)) is not None:
        gaps = gaps[start:]
    return gaps


def _newest_change(gaps: Sequence[int]) -> int | None:
    """The first gap of a new interval: where a split explains most, and enough more than none."""
    older, newer = sorted(gaps), list[int]()
    best, change = _agreeing(older) + _EXPLAINED_MORE - 1, None
    for start in range(len(gaps) - 1, 0, -1) if best < len(gaps) else ():
        del older[bisect_left(older, gaps[start])]
        newer.insert(bisect_left(newer, gaps[start]), gaps[start])
        explained = _agreeing(older) + _agreeing(newer)
        if explained > best and _is_new(newer, older):
            best, change = explained, start
    return change


def _is_new(newer: Sequence[int], older: Sequence[int]) -> bool:
    """Whether it was hardly seen before, and has lasted for more than a burst."""
    middle = _middle(newer)
    seen = len(_near(older, middle, middle))
    lasted_us = sum(_near(newer, middle, middle))
    return seen <= _KNOWN_BEFORE * len(older) and lasted_us >= _middle(older)


def _between_bursts(gaps: list[int]) -> list[int]:
    """From the start of each burst to that of the next, if there are bursts."""
    longest = _BURST_RATIO * _middle(sorted(gaps))
    pauses = sorted(one for one in gaps if one > longest)
    if len(pauses) < _LEAST_BURSTS or _agreeing(pauses) < _BURSTS_AGREE * len(pauses):
        return gaps
    instants, now_us = [], 0
    for gap in gaps:
        now_us += gap
        if gap > longest:
            instants.append(now_us)
    return _gaps(instants)


def _gaps(instants: Iterable[int]) -> list[int]:
    return [later - earlier for earlier, later in pairwise(instants)]


def _agreeing(ordered: Sequence[int]) -> int:
    """How many are near to their middle."""
    middle = _middle(ordered)
    return len(_near(ordered, middle, middle))


def _near(ordered: Sequence[int], middle: int, interval_us: int) -> Sequence[int]:
    """Those within a quarter of an interval from a length."""
    reach_us = interval_us // 4
    start = bisect_left(ordered, middle - reach_us)
    return ordered[start : bisect_right(ordered, middle + reach_us)]


def _middle(ordered: Sequence[int]) -> int:
    """The median; of two in the middle the smaller: a gap that was."""
    return ordered[(len(ordered) - 1) // 2]


def client_stale_us(cadences: Mapping[Series, Cadence], latest: Sequence[Latest]) -> float:
    """After what silence of a client something is wrong: by its metric that reports most often.

    Metrics that nobody should wait for any more do not count while others still report, nor do
    irregular ones; infinite if none is left.

    >>> client_stale_us({}, [])
    inf
    """
    newest_us = max((one.time_us for one in latest), default=0)
    known = [(one, cadences[one.series]) for one in latest if one.series in cadences]
    alive = [two for one, two in known if newest_us - one.time_us <= two.lost_us]
    return min((one.stale_us for one in alive), default=float("inf"))
