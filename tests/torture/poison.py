"""Good readings with the whole catalogue of hostile input between them."""

from contextlib import closing
from dataclasses import dataclass

from mosquitto.provision import add_client
from telemetry.settings import Settings
from tests.integration.catalogue import CLIENT, PASSED, STOPPED
from tests.torture.delays import Delays, Watch
from tests.torture.numbers import Key
from tests.torture.publisher import Publisher
from tests.torture.scene import Scene
from tests.torture.speaker import Speaker
from tests.torture.verdict import Verdict

ALONE = 300
"""Good readings without anything between them, for comparison."""

BETWEEN = 3
"""Good readings between two rows of the catalogue."""


@dataclass(frozen=True, slots=True)
class Poisoned:
    """What hostile input did to good readings.

    Attributes:
        rows: How many rows of the catalogue were sent.
        verdict: On the good readings.
        alone: How long good readings took before, from their publisher to a reader of the store.
        between: How long they took meanwhile.
        alive: Whether the collector still ran, without an error of its own.
    """

    rows: int
    verdict: Verdict
    alone: Delays
    between: Delays
    alive: bool

    @property
    def good(self) -> bool:
        """Whether every good reading is stored once, and the collector runs."""
        verdict = self.verdict
        wrong = verdict.lost + verdict.doubled + verdict.flagged + verdict.strange
        return self.alive and not wrong


def poison(settings: Settings) -> Poisoned:
    """Sends the catalogue between good readings, on a scene of its own.

    What becomes of each row is looked at by `tests/integration/test_catalogue.py`.
    """
    with Scene(settings, (Key.TIME,)) as scene:
        (good,) = scene.publishers
        speaker = Speaker(settings.mqtt_port, add_client(settings, CLIENT))
        with Watch(settings, good.numbers.series) as watch, closing(speaker):
            good.wait_for_more(ALONE)
            first = len(good.ledger.sent)
            _say_everything(speaker, good)
            last = max(good.ledger.acknowledged)
            scene.settle()
        return Poisoned(
            len(PASSED) + len(STOPPED),
            scene.verdicts()[Key.TIME],
            watch.delays(good.ledger, range(first)),
            watch.delays(good.ledger, range(first, last)),
            scene.collector.running and "Traceback" not in scene.collector.output,
        )


def _say_everything(speaker: Speaker, good: Publisher) -> None:
    for row in PASSED:
        good.wait_for_more(BETWEEN)
        for message in row.sent:
            speaker.say(message)
    for stopped in STOPPED:
        good.wait_for_more(BETWEEN)
        speaker.say(stopped.sent)
