"""The statistics and spans that the playground offers, and what they are called."""

from dataclasses import dataclass

from dashboard.view import ViewError, check_spans
from telemetry.export import LONGEST_SPAN
from telemetry.window import parse_duration

SPANS = (
    "10s", "15s", "20s", "30s", "45s", "1m", "90s", "2m", "3m", "5m", "7m", "10m", "15m", "20m",
    "30m", "45m", "1h", "90m", "2h", "3h", "4h", "6h", "8h", "12h", "18h", "24h",
)  # fmt: skip
"""The steps of the slider, each about a third wider than the one before."""

MARKS = ("10s", "1m", "5m", "30m", "1h", "6h", "24h")
"""Those that stand beside it by name."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a statistic is called.

    Attributes:
        word: In a list, and in a sentence after its span.
        residual: Whether a reading less the statistic says something: both are of one quantity.
        per_second: Whether its unit is that of the metric for each second.
    """

    word: str
    residual: bool = True
    per_second: bool = False


STATISTICS = {
    "mean": Name("mean"),
    "time_weighted": Name("time-weighted mean"),
    "median": Name("median"),
    "p95": Name("95 % quantile"),
    "min": Name("minimum"),
    "max": Name("maximum"),
    "std": Name("standard deviation", residual=False),
    "rate": Name("rate", residual=False, per_second=True),
}
"""Those of `telemetry.rolling`, in the order of the list."""


def unit_of(statistic: str, unit: str) -> str:
    """In what a statistic of a metric is.

    >>> unit_of("rate", "°C"), unit_of("rate", ""), unit_of("std", "°C")
    ('°C/s', '1/s', '°C')
    """
    return f"{unit or '1'}/s" if STATISTICS[statistic].per_second else unit


def check_statistic(name: str) -> str:
    """The name of a statistic that is offered.

    Raises:
        ViewError: If it is not.
    """
    if name not in STATISTICS:
        raise ViewError(f"there is no statistic {name!r}; choose one of {', '.join(STATISTICS)}")
    return name


def check_span(span: str) -> str:
    """A span that a statistic can have.

    Raises:
        ViewError: If it is no duration, or too long.
    """
    found = check_spans([span], ())[0]
    if parse_duration(found) > parse_duration(LONGEST_SPAN):
        raise ViewError(f"the span {found} is too long; use at most {LONGEST_SPAN}")
    return found


def step_of(span: str) -> int:
    """The step of the slider that is nearest to a span.

    >>> SPANS[step_of("5m")], SPANS[step_of("2d")], SPANS[step_of("62s")]
    ('5m', '24h', '1m')
    """
    wanted_us = parse_duration(span)
    return min(range(len(SPANS)), key=lambda step: abs(parse_duration(SPANS[step]) - wanted_us))
