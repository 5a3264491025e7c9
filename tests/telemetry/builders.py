"""Shared builders: readings, frames, and a store filled with them."""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import settings

from telemetry.batch import Batch
from telemetry.interface import Answer, Appender, Chunk, Querier, Snapshot
from telemetry.job import Erase, Job, Result
from telemetry.jobs import Worker
from telemetry.reading import Kind, Reading, Series
from telemetry.store import open_appender, open_querier

SERIES = Series("boiler", "temperature")
SECOND_US = 1_000_000
NOON_US = 1_795_435_200 * SECOND_US  # 2026-11-23T12:00:00Z
DEADLINE_S = 60
ROOT = Path(__file__).resolve().parents[2]

steady = settings(max_examples=60, deadline=None, derandomize=True, database=None)
"""The same modest examples on every run."""


def reading(time_us: int, value: float | str = 1.0, **rest: object) -> Reading:
    """A reading of SERIES unless `series` says otherwise; a text value is a state."""
    kind = Kind.STATE if isinstance(value, str) else Kind.NUMBER
    fields = {"series": SERIES, "kind": kind} | rest
    return Reading(time_us=time_us, value=value, **fields)  # type: ignore[arg-type]  # by name


def decoded(*said: float | str) -> list[Reading]:
    """What the collector makes of such payloads, ten seconds apart: words for yes are booleans."""
    booleans = {"off": 0.0, "on": 1.0}
    return [
        reading(NOON_US + n * 10 * SECOND_US, booleans[one], kind=Kind.BOOLEAN)
        if isinstance(one, str) and one in booleans
        else reading(NOON_US + n * 10 * SECOND_US, one)
        for n, one in enumerate(said)
    ]


def frame(pairs: Iterable[tuple[int, float]]) -> pd.DataFrame:
    """`time_us` and `value` as `samples_of_readings` takes them, sorted by time."""
    times, values = (
        zip(*sorted(pairs, key=lambda pair: pair[0]), strict=True) if pairs else ((), ())
    )
    return pd.DataFrame(
        {"time_us": pd.Series(times, dtype="int64"), "value": pd.Series(values, dtype="float64")}
    )


def fill(path: Path, readings: Sequence[Reading]) -> Path:
    """The store at `path`, holding the readings, with nobody writing it."""
    appender = open_appender(path)
    appender.append(Batch(readings))
    appender.close()
    return path


def erasing(appender: Appender) -> Worker:
    """Does erase jobs, as the collector does them."""

    def do(job: Job) -> Result:
        assert isinstance(job, Erase)
        return appender.do(job)

    return do


@contextmanager
def asking(path: Path) -> Iterator[Querier]:
    """A querier that is closed at the end."""
    querier = open_querier(path)
    try:
        yield querier
    finally:
        querier.close()


@contextmanager
def looking(path: Path) -> Iterator[Snapshot]:
    """One snapshot of the store."""
    with asking(path) as querier, querier.snapshot() as snapshot:
        yield snapshot


def values(answer: Answer) -> list[tuple[int, float | str]]:
    """The readings of an answer as (time, value)."""
    return [
        (time_us, value if text is None else text)
        for time_us, value, text in zip(
            answer.frame["time_us"], answer.frame["value"], answer.frame["text"], strict=True
        )
    ]


def joined(chunks: Iterable[Chunk]) -> list[tuple[int, str, float | str]]:
    """The readings inside each chunk's window, one after the other, as (time, metric, value)."""
    return [
        (time_us, answer.series.metric, value)
        for chunk in chunks
        for answer in chunk.answers
        for time_us, value in values(answer)
        if chunk.window.start_us <= time_us < chunk.window.end_us
    ]


def on_small_disk(folder: Path, megabytes: int, program: str) -> "subprocess.CompletedProcess[str]":
    """Runs a program whose argument is a folder on a small disk; skips without privileges."""
    probe = ["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs", folder]
    if subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk takes root")
    mounted = 'mount -t tmpfs -o size="$4"m tmpfs "$1" && exec "$2" -c "$3" "$1"'
    shell = ["sh", "-ec", mounted, "-", folder, sys.executable, program, str(megabytes)]
    return subprocess.run(
        ["unshare", "-m", *shell],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
