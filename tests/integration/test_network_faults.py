"""The network fails between collector, broker and publishers: all go on, nothing is lost."""

from collections.abc import Callable, Iterator

import pytest

from telemetry.settings import Settings
from tests.support import wait_until
from tests.torture import store
from tests.torture.impatient import KEEP_ALIVE_S
from tests.torture.scene import Scene, Ways
from tests.torture.verdict import total
from tests.toxic import AT_ONCE, BYTE_BY_BYTE, LATE, Pace, Proxy

pytestmark = pytest.mark.broker

NOTICED_S = 2 * KEEP_ALIVE_S + 2
"""A ping goes out after one keep-alive, and its answer is missed after another."""

SLAMMED = 4

Fault = Callable[[Proxy], None]


@pytest.fixture
def proxy(settings: Settings) -> Iterator[Proxy]:
    """Stands between the broker and whoever is told its port."""
    with Proxy(settings.mqtt_port) as proxy:
        yield proxy


def slam(proxy: Proxy) -> None:
    """Resets every connection, and several that are tried after it."""
    proxy.refuse(refusing=True)
    proxy.reset()
    before = proxy.accepted
    wait_until(lambda: proxy.accepted >= before + SLAMMED)
    proxy.refuse(refusing=False)


def more(scene: Scene, count: int = 30) -> None:
    """Every publisher has so many more numbers acknowledged."""
    for publisher in scene.publishers:
        publisher.wait_for_more(count)


def assert_each_once(scene: Scene) -> None:
    """Everything acknowledged is stored, once, with a key or without."""
    scene.settle()
    verdict = total(scene.verdicts().values())
    assert verdict.acknowledged > 300
    assert (verdict.lost, verdict.doubled, verdict.flagged, verdict.strange) == (0, 0, 0, 0)
    assert store.discrepancies(scene.settings) == 0


def slow_down(scene: Scene, proxy: Proxy, pace: Pace) -> None:
    """Everything goes at that pace for a while."""
    proxy.pace(pace)
    more(scene)
    proxy.pace(AT_ONCE)
    scene.catch_up()


def test_link_of_the_collector_at_fault_is_renewed_by_itself(
    settings: Settings, proxy: Proxy
) -> None:
    """Cut, reset, refused again and again, slow, late: it takes up where it was."""
    faults: tuple[Fault, ...] = (Proxy.cut, Proxy.reset, slam, Proxy.cut, Proxy.reset)
    with Scene(settings, ways=Ways(collector_port=proxy.port)) as scene:
        for fault in faults:
            more(scene)
            before = scene.link()
            fault(proxy)
            scene.wait_for_link(before)
            scene.catch_up()
        for pace in (BYTE_BY_BYTE, LATE):
            slow_down(scene, proxy, pace)
        assert_each_once(scene)


def test_link_of_the_collector_gone_silent_is_noticed_by_keep_alive(
    settings: Settings, proxy: Proxy
) -> None:
    """A link on which nothing comes and nobody says why is given up, twice, and renewed."""
    ways = Ways(collector_port=proxy.port, command=("tests.torture.impatient",))
    with Scene(settings, ways=ways) as scene:
        for _ in range(2):
            more(scene)
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
            more(scene)
            fault(proxy)
        for pace in (BYTE_BY_BYTE, LATE):
            slow_down(scene, proxy, pace)
        assert_each_once(scene)
