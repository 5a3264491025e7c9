"""What to export of one client, and what that is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from telemetry.condition import AsOf
from telemetry.fault import Fault
from telemetry.held import hold
from telemetry.interface import Querier
from telemetry.interval import Cadence, expected_us
from telemetry.reading import Kind, Latest, Series
from telemetry.rolling import HELD, MEAN, StatisticError, check_statistic, needs_readings
from telemetry.window import TimeError, Window, parse_duration

DEFAULT_START = "now-24h"
"""Where an export begins if nobody says; it ends now."""
LONGEST_SPAN = "31d"

_OF_BUCKETS = frozenset({MEAN, "min", "max"})
_SERIES_AT_ONCE = 200  # a client may have 10 000, and a snapshot has but seconds


class UnknownClient(Fault, LookupError):
    """No client of that name has any reading."""


class UnknownMetric(Fault, LookupError):
    """The client has no metric of that name."""


@dataclass(frozen=True, slots=True)
class ExportQuery:
    """What to export.

    Attributes:
        client: Whose readings.
        window: From when to when.
        metrics: Which; none means all.
        spans: Rolling statistics to add to each row, as durations such as `5m`; the same one
            counts once.
        every_us: If not 0, rows are the means of aligned intervals of this width; of one that
            the window cuts, only what is inside counts, and states have none. Where readings are
            over, a row of a rollup that is wider than its interval is flagged `coarser`.
        statistics: Of each span, as `telemetry.rolling.rolling` names them.

    Raises:
        TimeError: If a span is no duration, too long, or no multiple of `every_us`: its mean
            would not be exact.
        StatisticError: If there is no such statistic, or none of intervals.
    """

    client: str
    window: Window
    metrics: Sequence[str] = ()
    spans: Sequence[str] = ()
    every_us: int = field(default=0)
    statistics: Sequence[str] = (MEAN,)

    def __post_init__(self) -> None:
        statistics = tuple(dict.fromkeys(self.statistics)) or (MEAN,)
        object.__setattr__(self, "statistics", statistics)
        for name in map(check_statistic, self.statistics):
            if self.every_us and needs_readings(name):
                raise StatisticError(f"{name} is of single readings; leave out every")
        if statistics != (MEAN,) and not self.spans:
            raise StatisticError(f"{statistics[0]} needs a span; name one, such as 5m")
        object.__setattr__(self, "spans", tuple(dict.fromkeys(self.spans)))
        for span in self.spans:
            span_us = parse_duration(span)
            if span_us > parse_duration(LONGEST_SPAN):
                raise TimeError(f"span {span} is too long; use at most {LONGEST_SPAN}")
            if span_us % (self.every_us or 1):
                raise TimeError(f"span {span} must be a multiple of every")

    def lookback_us(self, intervals_us: Iterable[int] = ()) -> int:
        """How far before the window its first statistic reaches, with what held before it.

        Args:
            intervals_us: How often the series report.
        """
        span_us = max((parse_duration(span) for span in self.spans), default=0)
        if not span_us or HELD.isdisjoint(self.statistics):
            return span_us
        return span_us + max((hold(one).before_us for one in intervals_us), default=0)

    @property
    def of_rollups(self) -> bool:
        """Whether it needs more of intervals than what every bucket tells."""
        return not _OF_BUCKETS.issuperset(self.statistics)

    @property
    def mean_columns(self) -> list[str]:
        """The columns that the spans add, in order."""
        return [f"{what}_{span}" for span in self.spans for what in (*self.statistics, "coverage")]


@dataclass(frozen=True)
class Subject:
    """What an export is about.

    Attributes:
        series: The series it names.
        cadences: How often each is expected to report, if spans need it.
        as_of: The state of the store in which it begins; it goes on with what comes meanwhile.
    """

    series: Sequence[Latest]
    cadences: Mapping[Series, Cadence]
    as_of: AsOf

    @cached_property
    def places(self) -> Mapping[Series, int]:
        """The place of each series among them."""
        return {one.series: place for place, one in enumerate(self.series)}

    @cached_property
    def kinds(self) -> Mapping[Series, Kind]:
        """What the values of each series are; numbers of a state are names of states too."""
        return {one.series: one.kind for one in self.series}

    @cached_property
    def intervals_us(self) -> Mapping[Series, int]:
        """The expected reporting interval of each series that is regular."""
        found = {series: expected_us(cadence) for series, cadence in self.cadences.items()}
        return {series: interval_us for series, interval_us in found.items() if interval_us}

    @property
    def numbers(self) -> Sequence[Series]:
        """The series that have a mean."""
        return [one.series for one in self.series if one.kind is not Kind.STATE]

    @property
    def units(self) -> Mapping[str, str]:
        """The unit of each metric."""
        return {latest.series.metric: latest.unit for latest in self.series}


def subject(querier: Querier, query: ExportQuery) -> Subject:
    """The series a query names.

    Raises:
        UnknownClient: If the client has no readings at all.
        UnknownMetric: If it lacks one of the metrics.
        StoreError: If the store cannot be read.
    """
    with querier.snapshot() as snapshot:
        every = snapshot.latest(query.client)
        if not every:
            raise UnknownClient(f"there is no client {query.client!r}")
        known = {latest.series.metric for latest in every}
        for metric in query.metrics:
            if metric not in known:
                raise UnknownMetric(f"client {query.client!r} has no metric {metric!r}")
        wanted = frozenset(query.metrics) or known
        chosen = [one for one in every if one.series.metric in wanted]
        as_of = snapshot.as_of
    cadences: dict[Series, Cadence] = {}
    for start in range(0, len(chosen) if query.spans else 0, _SERIES_AT_ONCE):
        some = [latest.series for latest in chosen[start : start + _SERIES_AT_ONCE]]
        with querier.snapshot() as snapshot:
            cadences |= snapshot.cadences(some, query.window.end_us)
    return Subject(chosen, cadences, as_of)
