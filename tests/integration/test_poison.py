"""Hostile clients beside good ones: these lose nothing and do not wait."""

import pytest

from mosquitto.provision import add_client
from telemetry.settings import Settings
from tests.torture import store
from tests.torture.numbers import Key
from tests.torture.packets import Publish
from tests.torture.poison import poison
from tests.torture.publisher import Link
from tests.torture.scene import Scene

pytestmark = pytest.mark.broker

BURST = 500
FLOOD = 3000


def test_hostile_input_between_good_readings_costs_none_of_them(settings: Settings) -> None:
    """The whole catalogue goes by while another client is served."""
    poisoned = poison(settings)
    print(f"\nalone {poisoned.alone}\nbetween {poisoned.between}")  # noqa: T201  # figures, not promises
    assert poisoned.verdict.acknowledged > poisoned.rows
    assert poisoned.good, poisoned
    assert store.discrepancies(settings) == 0


def test_flood_of_one_client_is_limited_and_others_do_not_notice(settings: Settings) -> None:
    """What a client sends beyond its rate is counted and not stored; nobody else loses anything."""
    changes = {"client_messages_per_s": 200, "client_burst": BURST}
    with Scene(settings.model_copy(update=changes), (Key.TIME,)) as scene:
        link = Link(settings.mqtt_port, add_client(settings, "flood"))
        flood = [Publish("clients/flood/n", b"%d" % number, flags=0) for number in range(FLOOD)]
        link.send(b"".join(one.encoded() for one in flood))
        scene.publishers[0].wait_for_more(100)
        scene.settle()
        link.close()
        verdict = scene.verdicts()[Key.TIME]
    assert (verdict.lost, verdict.doubled) == (0, 0)
    messages = store.messages(settings)
    assert FLOOD // 2 < messages.limited <= FLOOD - BURST
    assert messages.stored + messages.limited == verdict.stored + FLOOD
    assert store.discrepancies(settings) == 0
