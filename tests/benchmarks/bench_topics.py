"""What it costs to keep what was heard on each topic: its share of loading and storing messages.

The baseline is everything else that is done with the same messages in the same run, by processor
time: decoding them, and a transaction of SQLite for each batch.
"""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from collector import load as loading
from collector.hearing import hear
from collector.limits import Caps
from collector.load import Load, Loader
from collector.message import Message
from telemetry.presence import Changes
from telemetry.store import open_appender
from telemetry.store.topics import TopicTable
from tests.collector.support import tools

pytestmark = pytest.mark.bench

BATCH, BATCHES, ROUNDS = 1500, 10, 3
NO_CAPS = Caps(messages_per_s=0, burst=1, series_per_client=10_000, series=100_000)
START_US = 1_800_000_000_000_000


class Stopwatch:
    """Adds up the processor time of functions."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def on(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, measured."""

        def measured(*arguments: Any) -> Any:
            began = time.process_time()
            try:
                return function(*arguments)
            finally:
                self.seconds += time.process_time() - began

        return measured


def batches(topics: int) -> list[list[Message]]:
    """Bare values on so many topics, one after the other."""
    messages = [
        Message(
            f"clients/c{n % topics // 5}/m{n % topics % 5}",
            b"%d.5" % (n % 97),
            START_US + 20 * n,
            n % 60_000 + 1,
        )
        for n in range(BATCH * BATCHES)
    ]
    return [messages[start : start + BATCH] for start in range(0, len(messages), BATCH)]


def share(folder: Path, topics: int) -> tuple[float, float]:
    """Microseconds for each message: for topics, and for everything else."""
    made, watch = batches(topics), Stopwatch()
    with (
        closing(open_appender(folder / "culex.db")) as appender,
        mock.patch.object(loading, "hear", watch.on(hear)),
        mock.patch.object(TopicTable, "note", watch.on(TopicTable.note)),
    ):
        loader = Loader(tools(appender, "clients/{client}/{metric}", caps=NO_CAPS))
        began = time.process_time()
        for messages in made:
            load = Load()
            for message in messages:
                loader.add(message, load)
            appender.append(load.batch(Changes()))
        spent = time.process_time() - began
    each = 1e6 / (BATCH * BATCHES)
    return watch.seconds * each, (spent - watch.seconds) * each


@pytest.mark.parametrize("topics", [1, 200, 1500, 20_000])
def test_bench_topics_share_of_ingest(tmp_path: Path, topics: int) -> None:
    """From one topic to one for each message; the best of three runs, and their spread."""
    runs = []
    for number in range(ROUNDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        runs.append(share(folder, topics))
    shares = sorted(100 * ours / rest for ours, rest in runs)
    ours, rest = min(runs)
    print(  # noqa: T201  # what a benchmark is for
        f"\n{topics} topics, {BATCH} messages a batch: {ours:.1f} µs a message beside {rest:.1f}, "
        f"{shares[0]:.0f} to {shares[-1]:.0f} % more"
    )
