"""The history goes out at the pace at which it is stored, and only what is not stored."""

from pathlib import Path

import pytest

from collector.backfill import AT_ONCE, ATTEMPTS, PATIENCE_US, Backfill, is_collecting
from collector.fleet import FLEET
from telemetry.batch import Batch
from telemetry.condition import WriterState
from telemetry.interface import Appender, Querier
from telemetry.reading import Reading, Series
from telemetry.store import open_appender, open_querier
from telemetry.window import SECOND_US

CLIENT = FLEET[0]
STEP_US = CLIENT.step_us
NOW_US = 20_780 * 86_400 * SECOND_US
SPAN_US = 20 * STEP_US
INSTANTS = list(range(NOW_US - SPAN_US, NOW_US, STEP_US))
ENOUGH = 1000


class Bench:
    """A backfill, the store it looks at, and a clock that the test moves."""

    def __init__(self, appender: Appender, querier: Querier) -> None:
        self.appender = appender
        self.querier = querier
        self.now_us = NOW_US
        self.backfill = Backfill(CLIENT, SPAN_US)
        self.backfill.begin(NOW_US)

    def store(self, *times_us: int) -> None:
        """Stores what the client measured then."""
        series = Series(CLIENT.name, CLIENT.probe)
        self.appender.append(Batch([Reading(series, one, 1.0) for one in times_us]))

    def take(self, at_most: int = ENOUGH, after_us: int = 0) -> list[int]:
        """What is to be published, so much later."""
        self.now_us += after_us
        with self.querier.snapshot() as snapshot:
            return list(self.backfill.take(snapshot, self.now_us, at_most))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A backfill of 20 instants and an empty store."""
    path = tmp_path / "culex.db"
    return Bench(open_appender(path), open_querier(path))


def test_backfill_of_an_empty_store_tells_all_oldest_first(bench: Bench) -> None:
    """Every instant of the span is published, in time order, and then it is done."""
    assert bench.take() == INSTANTS
    assert not bench.backfill.done
    bench.store(*INSTANTS)
    assert bench.take() == []
    assert bench.backfill.done


def test_backfill_of_a_store_with_gaps_tells_the_gaps(bench: Bench) -> None:
    """What a run that was killed half-way left out is told, and nothing else."""
    bench.store(*INSTANTS[:5], *INSTANTS[15:])
    assert bench.take() == INSTANTS[5:15]


def test_backfill_of_a_full_store_is_done_at_once(bench: Bench) -> None:
    """A second start has nothing to tell."""
    bench.store(*INSTANTS)
    assert bench.take() == []
    assert bench.backfill.done


def test_backfill_under_way_keeps_to_its_bound(bench: Bench) -> None:
    """No more than `at_most` are published and not stored, in messages of as many as possible."""
    assert bench.take(4) == INSTANTS[:4]
    assert bench.take(4) == []
    bench.store(*INSTANTS[:3])
    assert bench.take(4) == []
    bench.store(INSTANTS[3])
    assert bench.take(4) == INSTANTS[4:8]


@pytest.mark.parametrize("at_most", [1, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE + 1])
def test_backfill_ends_whatever_may_be_on_its_way(bench: Bench, at_most: int) -> None:
    """All is told once, in order, the last of it in a message that is not full."""
    number = 2 * AT_ONCE + 7
    bench.backfill = Backfill(CLIENT, number * STEP_US)
    bench.backfill.begin(NOW_US)
    told: list[list[int]] = []
    while sum(map(len, told)) < number and len(told) <= number:
        told.append(bench.take(at_most))
        bench.store(*told[-1])
    bench.take(0)
    assert bench.backfill.done
    instants = [one for some in told for one in some]
    assert instants == list(range(NOW_US - number * STEP_US, NOW_US, STEP_US))
    if at_most >= AT_ONCE:
        assert {len(one) % AT_ONCE for one in told[:-1]} <= {0}


def test_backfill_lost_on_the_way_is_told_again(bench: Bench) -> None:
    """What is not stored in time is published again, from the first that is missing."""
    bench.take(4)
    bench.store(INSTANTS[0], INSTANTS[2])
    assert bench.take(4, after_us=1) == []
    assert bench.take(4, after_us=PATIENCE_US - 1) == []
    assert bench.take(4, after_us=1) == INSTANTS[1:5]


def test_backfill_that_nobody_stores_gives_up(bench: Bench) -> None:
    """After so many attempts it ends, until it begins anew."""
    for _ in range(ATTEMPTS):
        assert bench.take() == INSTANTS
        bench.take(0, after_us=PATIENCE_US)
    assert bench.backfill.given_up
    assert bench.backfill.done
    bench.backfill.begin(NOW_US)
    assert bench.take() == INSTANTS


def test_backfill_before_its_begin_has_nothing_to_tell() -> None:
    """Without a connection there is no history."""
    assert Backfill(CLIENT, SPAN_US).done


@pytest.mark.parametrize(
    ("writer", "expected"),
    [
        (WriterState(beat_us=NOW_US - SECOND_US, broker_up=True), True),
        (WriterState(beat_us=NOW_US - 6 * SECOND_US, broker_up=True), False),
        (WriterState(beat_us=NOW_US - SECOND_US, broker_up=False), False),
        (WriterState(beat_us=NOW_US - SECOND_US, broker_up=True, stopped=True), False),
        (WriterState(broker_up=True), False),
    ],
)
def test_is_collecting_needs_a_collector_with_a_link_and_a_beat(
    writer: WriterState, expected: bool
) -> None:
    """History is told only to a collector that would store it."""
    assert is_collecting(writer, NOW_US) is expected
