"""Collector and broker killed at named points and at random: nothing lost, nothing doubled."""

from random import Random

import pytest

from telemetry.presence import EventKind
from telemetry.settings import Settings
from tests.support import wait_until
from tests.torture import store
from tests.torture.attacks import (
    BROKER_AWAY,
    BROKER_THERE,
    ON_COLLECTOR,
    assault,
    at_work,
    broker_away,
    broker_there,
    restart,
)
from tests.torture.numbers import Key
from tests.torture.scene import Scene, Ways
from tests.torture.verdict import total

pytestmark = pytest.mark.broker


def test_collector_killed_at_every_point_loses_and_doubles_nothing(settings: Settings) -> None:
    """Through 22 kills, two at each named point, all that was acknowledged is stored once."""
    with Scene(settings) as scene:
        kills = assault(scene, ON_COLLECTOR, Random(3), lambda done: done == 2 * len(ON_COLLECTOR))
        verdict = total(scene.verdicts().values())
    assert kills.total() >= 20
    assert verdict.acknowledged > 1000
    assert (verdict.lost, verdict.doubled, verdict.flagged, verdict.strange) == (0, 0, 0, 0)
    assert store.discrepancies(settings) == 0


def test_collector_that_acknowledges_too_early_is_found_out(settings: Settings) -> None:
    """The torture sees the loss that it is there to see."""
    careless = Ways(command=("tests.torture.careless",))
    with Scene(settings, ways=careless) as scene:
        assault(scene, (at_work,), Random(6), lambda done: done == 3)
        verdict = total(scene.verdicts().values())
    assert verdict.lost > 0


def test_broker_killed_costs_only_what_readme_says(settings: Settings) -> None:
    """Through ten kills of the broker: nothing with a key doubles, nothing else unflagged.

    With the collector there nothing is lost. With the collector away only what was acknowledged
    after the broker's last save is, which the verdict tells apart.
    """
    attacks = (broker_there, broker_there, broker_away, broker_there, broker_there)
    with Scene(settings) as scene:
        kills = assault(scene, attacks, Random(4), lambda done: done == 2 * len(attacks))
        verdicts = scene.verdicts()
    assert (kills[BROKER_THERE], kills[BROKER_AWAY]) == (8, 2)
    verdict = total(verdicts.values())
    assert (verdict.lost, verdict.doubled, verdict.strange) == (0, 0, 0), verdicts
    assert verdicts[Key.TIME].flagged == verdicts[Key.NAME].flagged == 0, verdicts
    assert store.discrepancies(settings) == 0


def test_broker_that_lost_the_session_is_told_of(settings: Settings) -> None:
    """A broker comes back without what it saved: that is an event, and collecting goes on.

    What is published before the collector has subscribed again reaches nobody.
    """
    with Scene(settings, (Key.TIME,)) as scene:
        (publisher,) = scene.publishers
        publisher.wait_for_more(10)
        scene.catch_up()
        before = scene.link()
        scene.kill_broker()
        (settings.broker_dir / "mosquitto.db").unlink()
        scene.start_broker_again()
        scene.wait_for_link(before)
        wait_until(lambda: store.events(settings)[EventKind.SESSION_LOST])
        scene.settle()
    assert store.highest(settings, publisher.numbers.series) == max(publisher.ledger.acknowledged)


def test_broker_restarted_in_order_loses_and_doubles_nothing(settings: Settings) -> None:
    """Through six restarts of the broker every number is stored once, with a key or without."""
    with Scene(settings) as scene:
        assault(scene, (restart,), Random(5), lambda done: done == 6)
        verdict = total(scene.verdicts().values())
    assert verdict.acknowledged > 500
    assert (verdict.lost, verdict.excused, verdict.strange) == (0, 0, 0)
    assert (verdict.doubled, verdict.flagged) == (0, 0)
