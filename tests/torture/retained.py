"""The broker retains much, and forgets the collector's session again and again."""

import socket
from contextlib import closing
from dataclasses import dataclass

from mosquitto.provision import add_client
from telemetry.login import load_login
from telemetry.settings import Settings
from tests.support import wait_until
from tests.torture import store
from tests.torture.packets import Kind, Publish, connect, disconnect, reason, take_packets
from tests.torture.scene import PATIENCE_S, Scene
from tests.torture.speaker import Speaker

TOPICS = 10_000
RETURNS = 20

_CLIENT = "keeper"
_QOS_1_RETAINED = 0b0011


@dataclass(frozen=True, slots=True)
class Retained:
    """What came of it.

    Attributes:
        topics: How many messages the broker retains.
        returns: How often all of them came again.
        again: Retained messages that the ledger counts.
        added: Readings that they made beside those at their first publishing.
    """

    topics: int
    returns: int
    again: int
    added: int

    @property
    def good(self) -> bool:
        """Whether each came each time, and none made a reading."""
        return self.added == 0 and self.again == self.topics * self.returns


def retain(settings: Settings, topics: int = TOPICS, returns: int = RETURNS) -> Retained:
    """Lets so many retained messages come so often to a collector without a session."""
    with Scene(settings, ()) as scene:
        with closing(Speaker(settings.mqtt_port, add_client(settings, _CLIENT))) as speaker:
            for number in range(topics):
                topic = f"clients/{_CLIENT}/m{number}"
                speaker.say(Publish(topic, b"%d" % number, flags=_QOS_1_RETAINED))
        wait_until(lambda: store.messages(settings).stored == topics, PATIENCE_S)
        for number in range(1, returns + 1):
            scene.kill_collector()
            _forget_session(settings)
            scene.start_collector()
            came = topics * number
            wait_until(lambda came=came: store.messages(settings).retained >= came, PATIENCE_S)  # type: ignore[misc]  # bound now
        tally = store.messages(settings)
        return Retained(topics, returns, tally.retained, store.readings(settings) - topics)


def _forget_session(settings: Settings) -> None:
    """Takes the collector's place for a moment, without a session of its own."""
    login = load_login(settings.secrets_dir / "collector.json")
    with socket.create_connection(("127.0.0.1", settings.mqtt_port), PATIENCE_S) as link:
        link.sendall(connect(login.client_id, login.username, login.password))
        (answer,) = take_packets(bytearray(link.recv(1000)))
        assert (answer.kind, reason(answer)) == (Kind.CONNACK, 0), answer
        link.sendall(disconnect())
