"""What is done to the collector and the broker. Each attack begins and ends without a collector."""

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random

from telemetry.clock import now_us
from tests.collector.crashing import Failpoint
from tests.torture.scene import Scene

Attack = Callable[[Scene, Random], str]
"""Does it; says, in words for the report, what was killed or stopped."""

BROKER_THERE = "broker, with the collector there"
BROKER_AWAY = "broker, with the collector away"
RESTART = "broker, stopped in order"
AT_RANDOM = "collector, at a random moment"

_TICK = threading.Event()  # never set: waiting on it passes time
_AWAY_S = 0.3
_LONGEST_LIFE_S = 2.0
_DIES_IN_ORDER = (Failpoint.STOPPING, Failpoint.STOPPED)
_MOST_PASSES = {
    Failpoint.STARTING: 0,
    Failpoint.SUBSCRIBING: 0,
    Failpoint.STOPPING: 0,
    Failpoint.STOPPED: 0,
    Failpoint.COMMITTED: 10,
    Failpoint.ACKNOWLEDGING: 10,
}
_MESSAGES = 200  # passes of a point that every message passes


def at_random(scene: Scene, rng: Random) -> str:
    """Kills a collector at a moment of its start or of its work."""
    scene.spawn_collector()
    _TICK.wait(rng.uniform(0.2, _LONGEST_LIFE_S))
    scene.kill_collector()
    _TICK.wait(rng.uniform(0.0, _AWAY_S))
    return AT_RANDOM


def at_work(scene: Scene, rng: Random) -> str:
    """Kills a collector that has its link, at a moment of its work."""
    scene.start_collector()
    _TICK.wait(rng.uniform(0.2, _LONGEST_LIFE_S))
    scene.kill_collector()
    return AT_RANDOM


def at(point: Failpoint) -> Attack:
    """The attack that kills a collector at that point."""

    def attack(scene: Scene, rng: Random) -> str:
        before = scene.link()
        scene.spawn_crashing(point, rng.randint(0, _MOST_PASSES.get(point, _MESSAGES)))
        if point in _DIES_IN_ORDER:
            scene.wait_for_link(before)
            _TICK.wait(rng.uniform(0.0, _AWAY_S))
            with suppress(AssertionError):  # its status is looked at below
                scene.collector.stop(signal.SIGTERM)
        scene.wait_for_death()
        return f"collector, {point}"

    return attack


def broker_there(scene: Scene, rng: Random) -> str:
    """Kills the broker while a collector works that has everything that came before."""
    scene.start_collector()
    scene.catch_up()
    _TICK.wait(rng.uniform(0.0, _AWAY_S))
    before = scene.link()
    scene.kill_broker()
    _return(scene, before)
    return BROKER_THERE


def broker_away(scene: Scene, rng: Random) -> str:
    """Kills the broker while it holds messages for a collector that is away."""
    _TICK.wait(rng.uniform(0.0, 2 * _AWAY_S))
    scene.kill_broker()
    scene.start_broker_again()
    return BROKER_AWAY


def restart(scene: Scene, rng: Random) -> str:
    """Stops the broker in order while a collector works."""
    scene.start_collector()
    _TICK.wait(rng.uniform(0.0, _AWAY_S))
    before = scene.link()
    scene.stop_broker()
    _return(scene, before)
    return RESTART


def _return(scene: Scene, before: int | None) -> None:
    """The broker comes back, the collector finds it by itself, and goes."""
    scene.start_broker_again()
    scene.returns_us.append(now_us())
    scene.wait_for_link(before)
    scene.catch_up()
    scene.collector.stop()


ON_COLLECTOR: tuple[Attack, ...] = (*map(at, Failpoint), at_random, at_work)
ON_BOTH: tuple[Attack, ...] = (*ON_COLLECTOR, at_random, broker_there, broker_away, restart)


def shuffled(attacks: tuple[Attack, ...], rng: Random) -> Iterator[Attack]:
    """All of them, again and again, each time in another order."""
    while True:
        yield from rng.sample(attacks, len(attacks))


def assault(
    scene: Scene, attacks: tuple[Attack, ...], rng: Random, enough: Callable[[int], bool]
) -> Counter[str]:
    """Attacks until it is enough, which is asked with the number of attacks so far.

    Returns how often what was done; a collector runs again then, and nothing is on its way.
    """
    scene.kill_collector()
    done: Counter[str] = Counter()
    for attack in shuffled(attacks, rng):
        if enough(done.total()):
            break
        done[attack(scene, rng)] += 1
    scene.start_collector()
    scene.settle()
    return done
