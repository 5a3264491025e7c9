"""Who plays the simulated fleet, and when: a timetable of what is due next, on one thread."""

import heapq
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import structlog

from collector.backfill import AT_ONCE, ON_THEIR_WAY, Backfill, is_collecting
from collector.fleet import Mood, Publication, Simulated
from telemetry.clock import Clock
from telemetry.interface import Querier, StoreError
from telemetry.window import SECOND_US

_STOP_S = 1.5
_LOOK_US = 20_000  # how often to look what became of the history under way
_IDLE_LOOK_US = SECOND_US // 2

log = structlog.get_logger("collector.demo")

Act = Callable[[int], int]
"""Does what is due at a time and returns when it is due again."""


class Link(Protocol):
    """What a player needs of its client's connection."""

    @property
    def up(self) -> bool:
        """Whether the broker listens to this client."""
        ...

    @property
    def arrivals(self) -> int:
        """How often the broker took it in."""
        ...

    def start(self) -> None:
        """Begins to connect, and to connect again whenever the link is lost."""
        ...

    def publish(self, publication: Publication) -> None:
        """Hands the message to the broker; without a link it is dropped."""
        ...

    def break_off(self) -> None:
        """Loses the link without a goodbye."""
        ...

    def say_goodbye(self) -> None:
        """Begins to disconnect for good."""
        ...

    def join(self) -> None:
        """Waits until it is disconnected."""
        ...


class Player:
    """Plays one client: what it measures now, and what the store lacks of its past."""

    def __init__(self, client: Simulated, connection: Link, span_us: int) -> None:
        self.client = client
        self.connection = connection
        self.backfill = Backfill(client, span_us)
        self._arrivals = 0

    def play(self, time_us: int) -> None:
        """Publishes what the client says at that instant of its own."""
        if self.client.mood(time_us) is Mood.BREAKING:
            self.connection.break_off()
        for publication in self.client.live(time_us):
            self.connection.publish(publication)

    def has_history(self, time_us: int) -> bool:
        """Whether there is something of the past to tell, and somebody to tell it to."""
        if self._arrivals != self.connection.arrivals:
            self._arrivals = self.connection.arrivals
            self.backfill.begin(time_us)
        return self.connection.up and not self.backfill.done


class Fleet:
    """All clients and their timetable, on one thread.

    Args:
        players: Who plays.
        querier: Says what is stored already.
        clock: Gives the time of the readings.
    """

    def __init__(self, players: Iterable[Player], querier: Querier, clock: Clock) -> None:
        self._players = list(players)
        self._querier = querier
        self._clock = clock
        self._telling = False
        self._told = 0

    def run(self, stopping: threading.Event) -> None:
        """Plays until `stopping` is set, then disconnects everybody."""
        for player in self._players:
            player.connection.start()
        try:
            self._keep_time(stopping)
        finally:
            self._stop()

    def _keep_time(self, stopping: threading.Event) -> None:
        start_us = self._clock()
        timetable = [(p.client.after(start_us), n, _live(p)) for n, p in enumerate(self._players)]
        timetable.append((start_us, len(timetable), self._tell_history))
        heapq.heapify(timetable)
        while not stopping.is_set():
            due_us, number, act = timetable[0]
            now_us = self._clock()
            if now_us < due_us:
                stopping.wait((due_us - now_us) / SECOND_US)
            else:
                heapq.heapreplace(timetable, (act(now_us), number, act))

    def _tell_history(self, time_us: int) -> int:
        """Publishes some of what the store lacks; returns when to look again."""
        players = [player for player in self._players if player.has_history(time_us)]
        if not players:
            self._note_end()
            return time_us + _IDLE_LOOK_US
        try:
            with self._querier.snapshot() as snapshot:
                if not is_collecting(snapshot.writer(), time_us):
                    return time_us + _IDLE_LOOK_US
                share = ON_THEIR_WAY // len(players)
                parts = [(p, p.backfill.take(snapshot, time_us, share)) for p in players]
        except StoreError:  # there is none yet, or it cannot be read now
            return time_us + _IDLE_LOOK_US
        for player, instants in parts:
            self._publish_past(player, instants)
        return time_us + _LOOK_US

    def _publish_past(self, player: Player, instants: Sequence[int]) -> None:
        for start in range(0, len(instants), AT_ONCE):
            message = player.client.past(instants[start : start + AT_ONCE])
            player.connection.publish(message)
            self._told += 1
            if not self._telling:
                self._telling = True
                log.info("telling what the store lacks of the past")
        if player.backfill.given_up:
            log.warning("nobody stores it; see collector.log", client=player.client.name)

    def _note_end(self) -> None:
        if self._telling and all(player.backfill.done for player in self._players):
            log.info("the past is told", messages=self._told)
            self._telling, self._told = False, 0

    def _stop(self) -> None:
        connections = [player.connection for player in self._players]
        for connection in connections:
            connection.say_goodbye()
        # A network thread may hang in a handshake with a broker that hangs; it is a daemon.
        joins = [threading.Thread(target=one.join, daemon=True) for one in connections]
        for thread in joins:
            thread.start()
        for thread in joins:
            thread.join(_STOP_S / len(joins))


def _live(player: Player) -> Act:
    def act(time_us: int) -> int:
        instant = player.client.after(time_us - player.client.step_us)
        player.play(instant)
        return player.client.after(time_us)

    return act
