"""`python -m tests.benchmarks.subscribers KIND COUNT`: receives and acknowledges, keeps nothing.

KIND is `bare`, paho alone, or `session`, our session and intake with nobody behind them. It says
`ready` when it is subscribed, and `had` with the time and its processor seconds when it has had
COUNT messages.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.endpoint import LOOPBACK
from collector.intake import Bounds, Intake
from collector.link import Endpoint
from collector.session import Session
from collector.subscriptions import Subscriptions
from telemetry.clock import now_us
from telemetry.login import Login, load_login
from telemetry.settings import Settings, load_settings
from tests.benchmarks.children import processor_s

FILTER = "clients/+"
_RECEIVE_MAXIMUM = 10_000  # as our session has it
_AT_MOST = 5000  # as the writer takes


def say(*words: object) -> None:
    """Tells who started us."""
    print(*words, flush=True)  # noqa: T201  # who started it waits for that


def login(settings: Settings, kind: str) -> Login:
    """Our login, with a client identifier of its own."""
    own = load_login(settings.secrets_dir / "collector.json")
    return replace(own, client_id=f"bench-{kind}")


def run_bare(settings: Settings, count: int) -> None:
    """Paho as it comes: each message acknowledged in its callback."""
    who, properties = login(settings, "bare"), Properties(PacketTypes.CONNECT)
    properties.ReceiveMaximum = _RECEIVE_MAXIMUM
    client = paho.Client(
        CallbackAPIVersion.VERSION2, who.client_id, protocol=paho.MQTTv5, manual_ack=True
    )
    client.username_pw_set(who.username, who.password)
    began: list[float] = []
    got = 0

    def on_message(_client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        nonlocal got
        got += 1
        client.ack(message.mid, 1)
        if got == count:
            say("had", time.time(), processor_s(os.getpid()) - began[0])
            client.disconnect()

    def on_subscribe(*_: object) -> None:
        began.append(processor_s(os.getpid()))
        say("ready")

    client.on_message = on_message
    client.on_connect = lambda *_: client.subscribe(FILTER, 1)
    client.on_subscribe = on_subscribe
    client.connect(LOOPBACK, settings.mqtt_port, clean_start=True, properties=properties)
    client.loop_forever()


def run_session(settings: Settings, count: int) -> None:
    """Our session and intake; whoever takes acknowledges at once."""
    who = login(settings, "session")
    intake = Intake(Bounds(settings.intake_messages, settings.intake_mb * 1_000_000, 0.05))
    subscriptions = Subscriptions(settings.data_dir / "bench-subscriptions.json", [FILTER])
    endpoint = Endpoint(LOOPBACK, settings.mqtt_port, lambda: who)
    session = Session(endpoint, intake, subscriptions, now_us)
    session.start()
    while session.catching_up or not session.ping.returned_ns:
        intake.take(1, 0.05)
    began_s, got = processor_s(os.getpid()), 0
    say("ready")
    while got < count:
        messages = intake.take(_AT_MOST, 1).messages
        session.acknowledge(messages)
        got += len(messages)
    say("had", time.time(), processor_s(os.getpid()) - began_s)
    session.stop()
    forget(settings, who)


def forget(settings: Settings, who: Login) -> None:
    """The broker keeps no session for it: it would collect what is published from now on."""
    client, connected = paho.Client(CallbackAPIVersion.VERSION2, who.client_id), threading.Event()
    client.username_pw_set(who.username, who.password)
    client.on_connect = lambda *_: connected.set()
    client.connect(LOOPBACK, settings.mqtt_port)
    client.loop_start()
    assert connected.wait(10)
    client.disconnect()
    client.loop_stop()


KINDS: dict[str, Callable[[Settings, int], None]] = {"bare": run_bare, "session": run_session}

if __name__ == "__main__":
    KINDS[sys.argv[1]](load_settings(), int(sys.argv[2]))
