"""The link of the collector fails in every way that networks know, again and again."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from telemetry.settings import Settings
from tests.support import wait_until
from tests.torture.delays import Delays
from tests.torture.scene import PATIENCE_S, Scene, Ways
from tests.torture.verdict import Verdict, total
from tests.toxic import AT_ONCE, BYTE_BY_BYTE, LATE, Pace, Proxy

FAULTS = 100

_SLAMMED = 4
_MORE = 10

Fault = Callable[[Proxy], None]


def slam(proxy: Proxy) -> None:
    """Resets every connection, and several that are tried after it."""
    proxy.refuse(refusing=True)
    proxy.reset()
    before = proxy.accepted
    wait_until(lambda: proxy.accepted >= before + _SLAMMED, PATIENCE_S)
    proxy.refuse(refusing=False)


def slow_down(scene: Scene, proxy: Proxy, pace: Pace, count: int) -> None:
    """Everything goes at that pace until each publisher has so many more acknowledged."""
    proxy.pace(pace)
    scene.wait_for_more(count)
    proxy.pace(AT_ONCE)
    scene.catch_up()


@dataclass(frozen=True, slots=True)
class Unsteady:
    """What a network that fails did.

    Attributes:
        faults: How often it failed.
        verdict: On everything that was published.
        renewed: From a link that closes to the next one.
        noticed: From a link that falls silent to the next one, at a keep-alive of `KEEP_ALIVE_S`.
    """

    faults: int
    verdict: Verdict
    renewed: Delays
    noticed: Delays

    @property
    def good(self) -> bool:
        """Whether everything is stored, once."""
        verdict = self.verdict
        return not (verdict.lost + verdict.doubled + verdict.flagged + verdict.strange)


def unsteady(settings: Settings, rng: Random, faults: int = FAULTS) -> Unsteady:
    """Lets the collector's link close, be refused, fall silent and slow down so many times."""
    renewed: list[float] = []
    noticed: list[float] = []
    with Proxy(settings.mqtt_port) as proxy:
        ways = Ways(collector_port=proxy.port, command=("tests.torture.impatient",))
        with Scene(settings, ways=ways) as scene:
            for fault in _mixed(rng, faults):
                scene.wait_for_more(_MORE)
                if isinstance(fault, Pace):
                    slow_down(scene, proxy, fault, _MORE)
                elif fault is Proxy.freeze:
                    noticed.append(_renew(scene, proxy, fault))
                else:
                    renewed.append(_renew(scene, proxy, fault))
            scene.settle()
            verdict = total(scene.verdicts().values())
    return Unsteady(faults, verdict, Delays(renewed), Delays(noticed))


def _mixed(rng: Random, count: int) -> Iterator[Fault | Pace]:
    """Faults in another order each time; links that close are as frequent as all others."""
    kinds = (Proxy.cut, Proxy.reset, Proxy.cut, Proxy.reset, slam, Proxy.freeze, BYTE_BY_BYTE, LATE)
    while count > 0:
        yield from rng.sample(kinds, min(len(kinds), count))
        count -= len(kinds)


def _renew(scene: Scene, proxy: Proxy, fault: Fault) -> float:
    """How long the link was gone, in seconds."""
    before, start_s = scene.link(), time.monotonic()
    fault(proxy)
    scene.wait_for_link(before)
    return time.monotonic() - start_s
