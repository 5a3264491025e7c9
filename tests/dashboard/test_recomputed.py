"""What is shown is what one computes from what is stored, whatever happened to it before."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from telemetry.batch import Batch
from telemetry.export import ExportQuery, subject
from telemetry.export_rows import export_rows
from telemetry.interface import Appender
from telemetry.job import Compact, Erase, Retain, Seal
from telemetry.reading import Flag, Reading
from telemetry.retention import Keep, Retention
from telemetry.store import open_appender
from telemetry.window import DAY_US, Window, parse_duration
from tests.dashboard.pictures import HOUR_US, picture
from tests.telemetry import oracle
from tests.telemetry.builders import NOON_US, SECOND_US, asking, reading
from tests.telemetry.oracle import Pairs

SPANS = ("1m", "5m", "30m")
BEGUN_US = NOON_US - 2 * DAY_US
WINDOW = Window(NOON_US - 12 * HOUR_US, NOON_US)

Step = Callable[[Appender, list[Reading]], object]


def measured(random: np.random.Generator) -> list[Reading]:
    """Two days of a reading each 20 s or so, some of them simulated, with outages."""
    gaps_us = random.integers(15 * SECOND_US, 25 * SECOND_US, 8200)
    gaps_us[random.integers(0, 8200, 12)] = HOUR_US // 3
    times = BEGUN_US + np.cumsum(gaps_us)
    values = random.normal(1e6, 2, len(times)).round(3)
    flags = np.where(random.random(len(times)) < 0.02, Flag.SIMULATED, 0)
    columns = (times.tolist(), values.tolist(), flags.tolist())
    return [reading(t, v, flags=f) for t, v, f in zip(*columns, strict=True) if t < NOON_US]


def late(appender: Appender, rest: list[Reading]) -> None:
    """A quarter of what is still under way arrives, and some of it twice."""
    some = rest[::4]
    del rest[::4]
    appender.append(Batch([*some, *some[::9]]))


def corrected(appender: Appender, rest: list[Reading]) -> None:
    """A client says other values for times it has told of before."""
    some = rest[1::50]
    appender.append(Batch([one._replace(value=float(one.value) + 1) for one in some]))


STEPS: dict[str, Step] = {
    "late": late,
    "corrected": corrected,
    "sealed": lambda appender, _: appender.do(Seal(NOON_US - 3 * HOUR_US)),
    "sealed once more": lambda appender, _: appender.do(Seal(NOON_US - HOUR_US)),
    "compacted": lambda appender, _: appender.do(Compact(NOON_US + DAY_US)),
    "erased": lambda appender, _: appender.do(Erase(flags=Flag.SIMULATED)),
    "expired": lambda appender, _: appender.do(
        Retain(NOON_US, Retention((), Keep(DAY_US, None, None)))
    ),
}


def stored(path: Path) -> Pairs:
    """The readings as the export has them, which needs no sum."""
    query = ExportQuery("boiler", Window(WINDOW.start_us - HOUR_US, WINDOW.end_us))
    with asking(path) as querier:
        parts = [*export_rows(querier, query, subject(querier, query))]
    pairs = [
        (int(time_us), float(value))
        for part in parts
        for time_us, value in zip(part["time_us"], part["value"], strict=True)
    ]
    return sorted(pairs)


def check(path: Path) -> None:
    """Tiles, charts and exports against the definition."""
    pairs = stored(path)
    (shown,) = picture(path, window=WINDOW, spans=SPANS, now_us=NOON_US).pictures
    assert shown.answer.bucket_us
    for mean in shown.means:
        *line, tile = mean.frame.iloc[[0, len(mean.frame) // 2, -2, -1]].to_dict("records")
        span_us = parse_duration(mean.span)
        seen_us = span_us if mean.exact else shown.answer.bucket_us
        for row, width_us in [*((one, seen_us) for one in line), (tile, span_us)]:
            exact = oracle.mean(pairs, width_us, row["time_us"])
            same(row["mean"], exact, Fraction(1, 10**12))
    query = ExportQuery("boiler", Window(NOON_US - 4 * HOUR_US, NOON_US), spans=SPANS)
    with asking(path) as querier:
        part = next(export_rows(querier, query, subject(querier, query)))
    for row in part.iloc[:: len(part) // 12].to_dict("records"):
        for span in SPANS:
            exact = oracle.mean(pairs, parse_duration(span), row["time_us"])
            same(row[f"mean_{span}"], exact, Fraction(1, 2**52))


def same(found: float, exact: Fraction | None, within: Fraction) -> None:
    """Equal but for that share of it."""
    assert (exact is None) == bool(np.isnan(found))
    if exact is not None:
        assert abs(Fraction(found) - exact) <= within * abs(exact)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_shown_equals_a_recomputation_from_what_is_stored(
    tmp_path: Path, seed: int
) -> None:
    """After late data, duplicates, corrected values, sealing, compaction, erasing and retention."""
    random = np.random.default_rng(seed)
    path = tmp_path / "culex.db"
    readings = measured(random)
    order = random.permutation(len(readings))
    rest = [readings[place] for place in sorted(order[: len(order) // 3])]
    appender = open_appender(path)
    appender.append(Batch([readings[place] for place in sorted(order[len(order) // 3 :])]))
    for name in random.permutation([*STEPS]):
        STEPS[name](appender, rest)
        check(path)
    appender.close()
