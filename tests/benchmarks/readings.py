"""Readings for benchmarks: days of many series, seeded, in the columns of a block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

START_US = 1_793_491_200_000_000  # 2026-11-01T00:00:00Z
DAY_S = 86_400
TEXT = pa.dictionary(pa.int32(), pa.string())
TIME = pa.timestamp("us", tz="UTC")
SCHEMA = pa.schema(
    [
        ("client", TEXT),
        ("metric", TEXT),
        ("time", TIME),
        ("value", pa.float64()),
        ("text", TEXT),
        ("delay_ms", pa.int64()),
        ("flags", pa.int32()),
    ]
)
METRICS = ("humidity", "power", "pressure", "temperature")

Random = np.random.Generator
Floats = NDArray[np.float64]


def walk(random: Random, series: int, count: int) -> Floats:
    """A sensor that shows tenths: a temperature that wanders by half a step a reading."""
    steps = random.standard_normal((series, count))
    steps *= 0.5
    steps[:, 0] += random.integers(-100, 900, series)
    tenths = np.cumsum(steps, axis=1, out=steps)
    np.rint(tenths, out=tenths)
    tenths /= 10
    return tenths


def noise(random: Random, series: int, count: int) -> Floats:
    """A sensor that shows every digit of its noise: 20 ± 3, all bits of the fraction chance."""
    values = random.standard_normal((series, count))
    values *= 3
    values += 20
    return values


@dataclass(frozen=True, slots=True)
class Shape:
    """What the readings are like.

    Attributes:
        values: Makes the values of so many series with so many readings each.
        jitter_us: How far a time may be from its beat, either way: less than half a beat.
        seed: The same seed makes the same readings.
    """

    values: Callable[[Random, int, int], Floats] = walk
    jitter_us: int = 0
    seed: int = 7


QUANTISED = Shape()
JITTERED = Shape(jitter_us=20_000)
NOISE = Shape(noise, jitter_us=20_000)


def regular(series: int, seconds: int, every_s: int, shape: Shape = QUANTISED) -> pa.Table:
    """Readings of all series, one each `every_s`, sorted as a block is.

    Args:
        series: How many, four metrics to a client.
        seconds: From `START_US` on.
        every_s: The beat.
        shape: Their values and times.
    """
    return next(_tables(series, (seconds, 1), every_s, shape))


def days(series: int, count: int, every_s: int, shape: Shape = QUANTISED) -> Iterator[pa.Table]:
    """The same for so many days, a table each."""
    return _tables(series, (DAY_S, count), every_s, shape)


def _tables(series: int, spans: tuple[int, int], every_s: int, shape: Shape) -> Iterator[pa.Table]:
    random = np.random.default_rng(shape.seed)
    seconds, tables = spans
    beats = seconds // every_s
    for number in range(tables):
        start_us = START_US + number * seconds * 1_000_000
        times = np.arange(beats, dtype=np.int64) * (every_s * 1_000_000) + start_us
        yield _table(series, times, shape, random)


def _table(series: int, beats: NDArray[np.int64], shape: Shape, random: Random) -> pa.Table:
    count = series * len(beats)
    owner = np.repeat(np.arange(series, dtype=np.int32), len(beats))
    clients = [f"client-{number:05}" for number in range(-(-series // len(METRICS)))]
    columns = [
        _named(owner // len(METRICS), clients),
        _named(owner % len(METRICS), METRICS),
        pa.array(_times(series, beats, shape, random)).cast(TIME),
        pa.array(shape.values(random, series, len(beats)).reshape(-1)),
        pa.DictionaryArray.from_arrays(pa.nulls(count, pa.int32()), pa.array([], pa.string())),
        pa.array(_delays_ms(random, count)),
        pa.array(np.zeros(count, dtype=np.int32)),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)


def _named(indices: NDArray[np.int32], names: "list[str] | tuple[str, ...]") -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(indices), pa.array(names, pa.string()))


def _times(
    series: int, beats: NDArray[np.int64], shape: Shape, random: Random
) -> NDArray[np.int64]:
    if shape.jitter_us == 0:
        return np.tile(beats, series)
    size, reach = (series, len(beats)), shape.jitter_us
    times = random.integers(-reach, reach, size, dtype=np.int32, endpoint=True) + beats
    return times.reshape(-1)


def _delays_ms(random: Random, count: int) -> NDArray[np.int64]:
    """From 3 to 90 ms, 20 on average."""
    delays = random.standard_exponential(count, dtype=np.float32)
    delays *= 17
    return np.minimum(delays, 87).astype(np.int64) + 3
