"""Thresholds: between which limits the numbers of a metric are as they should be."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from telemetry.reading import Series


class Level(StrEnum):
    """How far a number is from where it should be."""

    WARNING = "warning"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of a metric: numbers on its other side are beyond it; one equal to it is not.

    Attributes:
        at: The number.
        level: How bad what is beyond is.
        above: Whether greater numbers are beyond it, or smaller ones.
    """

    at: float
    level: Level
    above: bool

    def beyond(self, number: float) -> bool:
        """Whether a number is beyond it."""
        return number > self.at if self.above else number < self.at


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits of a metric, each of which may be missing.

    >>> Thresholds(warn_above=80.0, alarm_above=95.0).exceeded(97.0).level
    <Level.ALARM: 'alarm'>
    >>> Thresholds(warn_above=80.0).exceeded(80.0) is None
    True
    """

    alarm_below: float | None = None
    warn_below: float | None = None
    warn_above: float | None = None
    alarm_above: float | None = None

    def limits(self) -> Iterator[Limit]:
        """Those that are set, the worse ones first."""
        numbers = self.alarm_below, self.alarm_above, self.warn_below, self.warn_above
        for position, number in enumerate(numbers):
            if number is not None:
                level = Level.ALARM if position < len(Level) else Level.WARNING
                yield Limit(number, level, above=bool(position % 2))

    def exceeded(self, number: float) -> Limit | None:
        """The worst limit that a number is beyond; `None` if it is as it should be, or NaN."""
        return next((limit for limit in self.limits() if limit.beyond(number)), None)


@dataclass(frozen=True, slots=True)
class MetricRule:
    """What is set of series whose names fit two patterns, in which `*` and `?` stand for more.

    Attributes:
        client: The pattern of clients.
        metric: The pattern of metrics.
        label: What people call the metric, or an empty string.
        thresholds: Its limits.
    """

    client: str
    metric: str
    label: str
    thresholds: Thresholds


MetricRules = Sequence[MetricRule]
"""The first that fits a series decides."""

UNRULED = MetricRule("*", "*", "", Thresholds())


def rule_of(series: Series, rules: MetricRules) -> MetricRule:
    """What is set of a series: the first rule that fits, or one that says nothing.

    >>> pumps = MetricRule("pump-*", "flow", "Flow", Thresholds(warn_below=2.0))
    >>> rule_of(Series("pump-1", "flow"), [pumps]).label
    'Flow'
    """
    return next((one for one in rules if series.fits(one.client, one.metric)), UNRULED)
