"""A greenhouse whose past lies in the store and which publishes on over TLS."""

import json
import math
import threading
from collections.abc import Iterator

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from mosquitto.provision import Credentials
from telemetry.clock import now_us
from telemetry.reading import Kind, Reading, Series
from telemetry.settings import Settings
from tests.support import wait_until

NAME = "greenhouse"
PERIOD_S = 2
HISTORY_S = 3600


def measure(second: int) -> dict[str, tuple[float | bool | str, str]]:
    """What it measures at that second: value and unit by metric; equal for equal seconds."""
    sun = math.sin(second / 900) + 0.35 * math.sin(second / 173 + 1)
    flicker = math.sin(second * 12.9898) * 43758.5453 % 1 - 0.5
    temperature = 23 + 2.1 * sun + 0.4 * flicker
    watering = second % 420 < 80
    humidity = 64 - 5 * sun + (4 if watering else 0) * (second % 420) / 80 + 0.8 * flicker
    vent = "open" if sun > 0.7 else "half" if sun > -0.3 else "closed"
    return {
        "temperature": (round(temperature, 2), "°C"),
        "humidity": (round(humidity, 1), "%"),
        "pump": (watering, ""),
        "vent": (vent, ""),
    }


def history(until_s: int) -> Iterator[Reading]:
    """The readings of the hour before."""
    for second in range(until_s - HISTORY_S, until_s, PERIOD_S):
        for metric, (value, unit) in measure(second).items():
            kind = Kind.NUMBER
            if isinstance(value, bool):
                kind, value = Kind.BOOLEAN, float(value)
            elif isinstance(value, str):
                kind = Kind.STATE
            yield Reading(Series(NAME, metric), second * 1_000_000, value, kind, unit)


class Greenhouse:
    """Publishes from the second where its history ends, through every restart of the broker."""

    def __init__(self, settings: Settings, login: Credentials, from_s: int) -> None:
        self._next_s = from_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._publish)
        self._paho = paho.Client(CallbackAPIVersion.VERSION2, NAME, protocol=paho.MQTTv5)
        self._paho.reconnect_delay_set(1, 1)
        self._paho.tls_set(str(settings.ca_file))
        self._paho.username_pw_set(login.client, login.password)
        self._port = settings.mqtt_tls_port

    def start(self) -> None:
        """Begins to publish, first what was missed since its history ended."""
        self._paho.connect("127.0.0.1", self._port)
        self._paho.loop_start()
        wait_until(self._paho.is_connected)
        self._thread.start()

    def stop(self) -> None:
        """Publishes no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._paho.disconnect()
        self._paho.loop_stop()

    def _publish(self) -> None:
        while not self._stopping.wait(0.2):
            while self._next_s <= now_us() // 1_000_000:
                self._paho.publish(f"clients/{NAME}/telemetry", _payload(self._next_s), 1)
                self._next_s += PERIOD_S


def _payload(second: int) -> str:
    said: dict[str, object] = {
        metric: {"value": value, "unit": unit} if unit else value
        for metric, (value, unit) in measure(second).items()
    }
    return json.dumps(said | {"ts": second * 1_000_000})
