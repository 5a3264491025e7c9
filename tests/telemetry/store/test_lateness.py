"""Late readings: counted in the head and in blocks, in whole hours, once."""

from collections import Counter
from pathlib import Path

from telemetry.batch import Batch
from telemetry.interface import Appender
from telemetry.job import Erase, Seal
from telemetry.reading import Flag, Reading, Series
from telemetry.window import ALL_TIME, HOUR_US, Window
from tests.telemetry.builders import looking, reading

START_US = 500_000 * HOUR_US
LATE = Flag.LATE | Flag.REDELIVERED


def some(client: str, hour: int, number: int, flags: int = LATE) -> list[Reading]:
    """So many readings of a client that were measured in that hour."""
    series = Series(client, "m")
    return [
        reading(START_US + hour * HOUR_US + n, n, series=series, flags=flags) for n in range(number)
    ]


def late(path: Path, window: Window) -> Counter[str]:
    """Late readings in a window, by client."""
    with looking(path) as snapshot:
        return Counter(snapshot.late(window))


def test_late_readings_are_counted_where_they_lie(appender: Appender, path: Path) -> None:
    """Sealed or not, those of the hours that are asked for count, by client; others do not."""
    appender.append(Batch([*some("a", 0, 3), *some("a", 1, 4), *some("b", 1, 5, flags=0)]))
    appender.append(Batch(some("b", 30, 2)))
    hours = [Window(START_US + n * HOUR_US, START_US + (n + 1) * HOUR_US) for n in (0, 1, 30)]
    before = [late(path, one) for one in hours]
    assert before == [Counter(a=3), Counter(a=4), Counter(b=2)]
    appender.do(Seal(START_US + 2 * HOUR_US))
    assert [late(path, one) for one in hours] == before
    assert late(path, ALL_TIME) == Counter(a=7, b=2)


def test_late_readings_that_were_erased_are_none(appender: Appender, path: Path) -> None:
    """What was counted in a block is counted anew once others have taken its place."""
    appender.append(Batch([*some("a", 0, 3), *some("b", 0, 2)]))
    appender.do(Seal(START_US + HOUR_US))
    assert late(path, ALL_TIME) == Counter(a=3, b=2)
    appender.do(Erase(client="a"))
    assert late(path, ALL_TIME) == Counter(b=2)
