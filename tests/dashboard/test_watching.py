"""When the collector could not see everything, by its own events, and what is known of a client."""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.presence import State, reach, stretches
from dashboard.watching import blanks, client_evidence
from telemetry.batch import Batch
from telemetry.interface import Appender, Querier
from telemetry.interval import Cadence, client_stale_us
from telemetry.presence import Changes, Connection, Ending, Event, EventKind
from telemetry.reading import Kind, Latest, Reading, Series
from telemetry.store import open_appender, open_querier
from telemetry.window import SECOND_US, Window

S = SECOND_US
NOW = 10_000 * S
WINDOW = Window(5000 * S, 9000 * S)
TANK = Series("tank", "level")


class Store:
    """A store that is written and asked."""

    def __init__(self, path: Path) -> None:
        self.appender: Appender = open_appender(path)
        self.querier: Querier = open_querier(path)

    def happen(self, *events: tuple[int, EventKind]) -> None:
        """Events at these seconds."""
        happened = [Event(at_s * S, kind) for at_s, kind in events]
        self.appender.append(Batch(presence=Changes(events=happened)))

    def blanks(self, beat_s: int = NOW // S) -> list[tuple[int, int, str, bool]]:
        """The blanks of the window, in seconds, by start."""
        self.appender.report({"beat_us": beat_s * S})
        with self.querier.snapshot() as snapshot:
            found = blanks(snapshot, WINDOW, NOW)
        return sorted((one.start_us // S, one.end_us // S, *one[2:]) for one in found)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    made = Store(tmp_path / "culex.db")
    yield made
    made.querier.close()
    made.appender.close()


def test_collector_that_was_stopped_saw_nothing(store: Store) -> None:
    """Also when it was stopped before the window began, and while it is stopped still."""
    store.happen(
        (100, EventKind.COLLECTOR_STARTED),
        (4000, EventKind.COLLECTOR_STOPPED),
        (6000, EventKind.COLLECTOR_STARTED),
        (8000, EventKind.COLLECTOR_STOPPED),
    )
    words = "the collector was stopped"
    assert store.blanks() == [(4000, 6000, words, True), (8000, 10_000, words, True)]


def test_link_and_watch_that_were_lost_are_told_apart(store: Store) -> None:
    """Without the link nothing arrived; without the watch only connections were not seen."""
    store.happen(
        (5100, EventKind.BROKER_LOST),
        (5100, EventKind.WATCH_LOST),
        (5200, EventKind.BROKER_BACK),
        (5300, EventKind.WATCH_LOST),
        (5400, EventKind.WATCH_BACK),
        (5500, EventKind.WATCH_BACK),
    )
    assert store.blanks() == [
        (5100, 5200, "no link to the broker", True),
        (5100, 5400, "the collector did not see who is connected", False),
    ]


def test_collector_that_broke_off_saw_nothing_since_its_last_sign_of_life(store: Store) -> None:
    """It could not say so itself: what it wrote of itself ends, and it starts again."""
    beats = [Reading(Series("collector", "messages_rate"), at * S, 1.0) for at in (5980, 5990)]
    store.appender.append(Batch(beats))
    store.happen((100, EventKind.COLLECTOR_STARTED), (6100, EventKind.COLLECTOR_STARTED))
    assert store.blanks() == [(5990, 6100, "the collector broke off", True)]
    assert store.blanks(beat_s=9500)[1] == (9500, 10_000, "the collector broke off", True)


def test_evidence_reaches_back_to_what_still_holds(store: Store) -> None:
    """A client that was gone before the window is disconnected in it, and says why."""
    gone = Connection("x", "tank", "", "5", 60, True, 100 * S, 200 * S, Ending.TIMED_OUT)
    store.appender.append(Batch(presence=Changes([gone])))
    with store.querier.snapshot() as snapshot:
        reached = reach(WINDOW, math.inf, NOW)
        evidence = client_evidence(snapshot, "tank", math.inf, [], reached)
    (only,) = stretches(evidence, [], WINDOW, NOW)
    assert (only.state, only.words) == (State.DISCONNECTED, "disconnected: keep-alive exceeded")


def test_word_of_a_gateway_from_before_the_window_still_holds(store: Store) -> None:
    """A client without connections that was said to be offline stays that."""
    event = Event(100 * S, EventKind.OFFLINE, "tank")
    store.appender.append(Batch(presence=Changes(events=[event])))
    with store.querier.snapshot() as snapshot:
        evidence = client_evidence(snapshot, "tank", math.inf, [], WINDOW)
    (only,) = stretches(evidence, [], WINDOW, NOW)
    assert only.state is State.DISCONNECTED


def test_evidence_is_made_of_readings_or_buckets(store: Store) -> None:
    """Both are times at which something of the client was there."""
    store.appender.append(Batch([Reading(TANK, at * S, 1.0) for at in range(5000, 6000, 10)]))
    with store.querier.snapshot() as snapshot:
        read = snapshot.read(TANK, WINDOW)
        buckets = snapshot.buckets(TANK, WINDOW, 60 * S)
        found = [
            client_evidence(snapshot, "tank", 30 * S, [one], WINDOW) for one in (read, buckets)
        ]
    assert [one.width_us for one in found] == [0, 60 * S]
    for evidence in found:
        told = stretches(evidence, [], WINDOW, NOW)
        assert [one.state for one in told] == [State.REPORTING, State.SILENT]
        assert told[1].start_us - 5990 * S < 60 * S


def latest(metric: str, at_s: int) -> Latest:
    """The newest reading of a metric of the client."""
    return Latest(Series("tank", metric), Kind.NUMBER, "", at_s * S, 1.0, at_s * S, 0)


def test_client_is_expected_as_often_as_its_quickest_living_metric() -> None:
    """One that fell silent for good counts no longer while others go on, nor does an odd one."""
    cadences = {
        Series("tank", "quick"): Cadence(1 * S, 0, 0.9, 60),
        Series("tank", "slow"): Cadence(60 * S, 0, 0.9, 60),
        Series("tank", "odd"): Cadence(1 * S, 0, 0.1, 60),
    }
    alive = [latest("quick", 1000), latest("slow", 990), latest("odd", 1000)]
    assert client_stale_us(cadences, alive) == 3 * S
    dead = [latest("quick", 900), *alive[1:]]
    assert client_stale_us(cadences, dead) == 180 * S
    assert client_stale_us(cadences, alive[2:]) == math.inf
