"""Who plays the fleet keeps its timetable and tells the past only to who listens."""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from collector.backfill import AT_ONCE
from collector.fleet import FLAKY, FLEET, Mood, Publication
from collector.players import Fleet, Player
from telemetry.interface import Querier
from telemetry.store import open_appender, open_querier
from telemetry.window import SECOND_US

START_US = 20_780 * 86_400 * SECOND_US
SPAN_US = 60 * SECOND_US
BATTERY = next(client for client in FLEET if client.name == "demo-battery")
UNRELIABLE = next(client for client in FLEET if client.name == FLAKY)


class MemoryLink:
    """A connection that keeps what is published."""

    def __init__(self) -> None:
        self.up = True
        self.arrivals = 1
        self.events: list[str] = []
        self.published: list[Publication] = []

    def start(self) -> None:
        """Notes it."""
        self.events.append("start")

    def publish(self, publication: Publication) -> None:
        """Keeps it."""
        self.published.append(publication)

    def break_off(self) -> None:
        """Notes it."""
        self.events.append("break off")

    def say_goodbye(self) -> None:
        """Notes it."""
        self.events.append("goodbye")

    def join(self) -> None:
        """Notes it."""
        self.events.append("join")


class Script:
    """A clock that gives these times in turn, and then ends the play."""

    def __init__(self, *times_us: int) -> None:
        self.stopping = threading.Event()
        self._left = deque(times_us)
        self._last_us = times_us[-1]

    def __call__(self) -> int:
        """The next time."""
        if not self._left:
            self.stopping.set()
        return self._left.popleft() if self._left else self._last_us


@pytest.fixture
def querier(tmp_path: Path) -> Iterator[Querier]:
    """An empty store whose collector says that it collects."""
    path = tmp_path / "culex.db"
    appender = open_appender(path)
    appender.report({"beat_us": START_US, "broker_up": 1, "stopped": 0})
    with closing(open_querier(path)) as opened:
        yield opened
    appender.close()


def test_fleet_whose_clock_jumps_plays_the_latest_instant_alone(querier: Querier) -> None:
    """What was missed is left to the history; start, play, goodbye and join come in order."""
    link = MemoryLink()
    link.up = False  # nobody to tell the past to
    late_us = START_US + 100 * BATTERY.step_us
    clock = Script(START_US, START_US, late_us)
    Fleet([Player(BATTERY, link, SPAN_US)], querier, clock).run(clock.stopping)
    assert link.published == BATTERY.live(late_us)
    assert link.events == ["start", "goodbye", "join"]


def test_player_breaking_off_loses_its_link_and_says_nothing() -> None:
    """Only the flaky client does so."""
    link = MemoryLink()
    moments = range(START_US, START_US + 86_400 * SECOND_US, UNRELIABLE.step_us)
    breaking = next(one for one in moments if UNRELIABLE.mood(one) is Mood.BREAKING)
    Player(UNRELIABLE, link, SPAN_US).play(breaking)
    assert (link.events, link.published) == (["break off"], [])


def test_player_connected_again_has_history_again() -> None:
    """Each arrival at the broker is a reason to look what is missing, while the link is up."""
    link = MemoryLink()
    player = Player(BATTERY, link, SPAN_US)
    link.arrivals = 0
    assert not player.has_history(START_US)
    link.arrivals = 1
    assert player.has_history(START_US)
    link.up = False
    assert not player.has_history(START_US)


def test_fleet_with_a_collector_tells_the_past_oldest_first(querier: Querier) -> None:
    """Every instant of the span, once, in time order, as many in a message as fit."""
    link = MemoryLink()
    clock = Script(START_US, START_US)
    span_us = (2 * AT_ONCE + 7) * BATTERY.step_us
    Fleet([Player(BATTERY, link, span_us)], querier, clock).run(clock.stopping)
    instants = range(START_US - span_us, START_US, BATTERY.step_us)
    assert link.published == [
        BATTERY.past(instants[:AT_ONCE]),
        BATTERY.past(instants[AT_ONCE : 2 * AT_ONCE]),
        BATTERY.past(instants[2 * AT_ONCE :]),
    ]
