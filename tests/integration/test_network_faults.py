"""The network fails between collector, broker and publishers: all go on, nothing is lost."""

from collections.abc import Iterator

import pytest

from telemetry.settings import Settings
from tests.support import wait_until
from tests.torture import store
from tests.torture.impatient import KEEP_ALIVE_S
from tests.torture.network import Fault, slam, slow_down
from tests.torture.scene import Scene, Ways
from tests.torture.verdict import total
from tests.toxic import BYTE_BY_BYTE, LATE, Proxy

pytestmark = pytest.mark.broker

MORE = 30
NOTICED_S = 2 * KEEP_ALIVE_S + 2
"""A ping goes out after one keep-alive, and its answer is missed after another."""


@pytest.fixture
def proxy(settings: Settings) -> Iterator[Proxy]:
    """Stands between the broker and whoever is told its port."""
    with Proxy(settings.mqtt_port) as proxy:
        yield proxy


def assert_each_once(scene: Scene) -> None:
    """Everything acknowledged is stored, once, with a key or without."""
    scene.settle()
    verdict = total(scene.verdicts().values())
    assert verdict.acknowledged > 300
    assert (verdict.lost, verdict.doubled, verdict.flagged, verdict.strange) == (0, 0, 0, 0)
    assert store.discrepancies(scene.settings) == 0


def test_link_of_the_collector_at_fault_is_renewed_by_itself(
    settings: Settings, proxy: Proxy
) -> None:
    """Cut, reset, refused again and again, slow, late: it takes up where it was."""
    faults: tuple[Fault, ...] = (Proxy.cut, Proxy.reset, slam, Proxy.cut, Proxy.reset)
    with Scene(settings, ways=Ways(collector_port=proxy.port)) as scene:
        for fault in faults:
            scene.wait_for_more(MORE)
            before = scene.link()
            fault(proxy)
            scene.wait_for_link(before)
            scene.catch_up()
        for pace in (BYTE_BY_BYTE, LATE):
            slow_down(scene, proxy, pace, MORE)
        assert_each_once(scene)


def test_link_of_the_collector_gone_silent_is_noticed_by_keep_alive(
    settings: Settings, proxy: Proxy
) -> None:
    """A link on which nothing comes and nobody says why is given up, twice, and renewed."""
    ways = Ways(collector_port=proxy.port, command=("tests.torture.impatient",))
    with Scene(settings, ways=ways) as scene:
        for _ in range(2):
            scene.wait_for_more(MORE)
            before = scene.link()
            proxy.freeze()
            wait_until(lambda link=before: scene.link() != link, NOTICED_S)  # type: ignore[misc]  # bound now
            scene.wait_for_link(before)
        assert_each_once(scene)


def test_links_of_publishers_at_fault_double_nothing(settings: Settings, proxy: Proxy) -> None:
    """What a publisher sends again for want of an answer is stored once, if it has a key."""
    faults: tuple[Fault, ...] = (Proxy.cut, Proxy.reset, Proxy.freeze, slam)
    with Scene(settings, ways=Ways(publisher_port=proxy.port)) as scene:
        for fault in faults:
            scene.wait_for_more(MORE)
            fault(proxy)
        for pace in (BYTE_BY_BYTE, LATE):
            slow_down(scene, proxy, pace, MORE)
        assert_each_once(scene)
