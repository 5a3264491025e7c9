"""Whatever can be done to the readings of a store, for laws that hold after each of them."""

from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from telemetry.batch import Batch
from telemetry.interface import Appender
from telemetry.job import Compact, Erase, Retain, Seal
from telemetry.reading import Flag, Series
from telemetry.retention import Keep, Retention
from tests.telemetry.builders import NOON_US, SECOND_US, SERIES, reading

OTHER = Series("boiler", "pressure")

Deed = Callable[[Appender, int], object]


def add(appender: Appender, *seconds: int, series: Series = SERIES, value: float = 1.5) -> None:
    """Readings at seconds after noon, in one commit."""
    times = [NOON_US + one * SECOND_US for one in seconds]
    appender.append(Batch([reading(at, value + at % 7, series=series) for at in times]))


def simulate(appender: Appender, second: int) -> None:
    """One that is erased by its flag later."""
    at_us = NOON_US - second * SECOND_US
    appender.append(Batch([reading(at_us, 5.25, flags=int(Flag.SIMULATED))]))


def retain(appender: Appender, seconds: int) -> None:
    """What was measured before some time goes, but for its rollups."""
    keep = Retention((), Keep(readings_us=3600 * SECOND_US))
    appender.do(Retain(NOON_US + seconds * SECOND_US, keep))


DEEDS: Mapping[str, Deed] = {
    "newer": lambda appender, n: add(appender, 50 + 7 * n, 51 + 7 * n, 57 + 7 * n),
    "next": lambda appender, n: add(appender, 400 + n),
    "in any order": lambda appender, n: add(appender, n, 3 * n, 2 * n),
    "late": lambda appender, n: add(appender, -40 * n),
    "of another series": lambda appender, n: add(appender, n, series=OTHER),
    "another value": lambda appender, n: add(appender, n, value=float(n)),
    "state": lambda appender, n: appender.append(Batch([reading(NOON_US + n * SECOND_US, "off")])),
    "simulated": simulate,
    "erase simulated": lambda appender, _: appender.do(Erase(flags=int(Flag.SIMULATED))),
    "erase": lambda appender, n: n == 7 and appender.do(Erase(client="boiler")),
    "seal": lambda appender, n: appender.do(Seal(NOON_US + n * SECOND_US)),
    "compact": lambda appender, _: appender.do(Compact(NOON_US + 90_000 * SECOND_US)),
    "retain": lambda appender, n: n > 35 and retain(appender, 90_000 * n),
}

done = st.tuples(st.sampled_from(sorted(DEEDS)), st.integers(0, 40))
"""One of them, with a number that says where."""
