"""Publishes a message on trial: with a login that is made for it and may do nothing else."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum

from paho.mqtt.client import Client as Mqtt
from paho.mqtt.client import ConnectFlags
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from mosquitto.control import Control
from mosquitto.dynsec import PINGS, publisher_role
from mosquitto.elsewhere import require_own_broker
from mosquitto.names import BROKER_ADMIN, TRIAL
from telemetry.daemon import AlreadyRunning, pid_file
from telemetry.fault import Fault
from telemetry.login import load_login
from telemetry.settings import Settings

MOST_BYTES = 65_536
_TOPIC_BYTES = 65_535
_PATIENCE_S = 5.0
_NOBODY = 0x10  # MQTT 5, 3.4.2.1: no matching subscribers
_OWN = PINGS.removesuffix("#")


class TrialError(Fault):
    """A message that is not published; the message says why."""


class Taken(Enum):
    """What the broker said of a message that it took."""

    TAKEN = "taken"
    BY_NOBODY = "nobody subscribes to its topic"


@dataclass(frozen=True, slots=True)
class Trial:
    """A message to be published.

    Attributes:
        topic: Where; no wildcards, nothing of the broker's own.
        payload: What; empty and retained, it deletes what the broker keeps.
        qos: Quality of service: 0, 1 or 2.
        retain: Whether the broker is to keep it.

    Raises:
        TrialError: If it cannot be published.
    """

    topic: str
    payload: bytes = b""
    qos: int = 1
    retain: bool = False

    def __post_init__(self) -> None:
        fault = _topic_fault(self.topic)
        if fault:
            raise TrialError(fault)
        if len(self.payload) > MOST_BYTES:
            raise TrialError(f"the payload is longer than {MOST_BYTES // 1024} KiB; shorten it")
        if self.qos not in {0, 1, 2}:
            raise TrialError("the quality of service is 0, 1 or 2; choose one of them")


def _topic_fault(topic: str) -> str:
    r"""Why nothing can be published to that topic, or an empty string.

    >>> _topic_fault("clients/a/m"), _topic_fault("clients/+/m")
    ('', 'a topic has no + and no #, which are for subscribing; name one topic')
    """
    faults = (
        (not topic, "the topic is empty; write one, such as clients/probe/temperature"),
        (topic.startswith("$"), "topics that begin with $ are the broker's own; choose another"),
        (
            "+" in topic or "#" in topic,
            "a topic has no + and no #, which are for subscribing; name one topic",
        ),
        (not topic.isprintable(), "the topic has a character that cannot be seen; remove it"),
        (topic.startswith(_OWN), f"topics below {_OWN} are the collector's own; choose another"),
        (
            len(topic.encode("utf-8", "surrogatepass")) > _TOPIC_BYTES,
            f"the topic is longer than {_TOPIC_BYTES} bytes; shorten it",
        ),
    )
    return next((fault for is_so, fault in faults if is_so), "")


def publish(settings: Settings, trial: Trial) -> Taken:
    """Publishes the message through the broker that runs; returns once the broker took it.

    It is marked as simulated, as the fleet on play is, so that what comes of it can be told from
    what was measured and be erased with it.

    Raises:
        BrokerElsewhere: If readings come from an existing broker.
        TrialError: If somebody else does so just now, or the broker does not take it.
        ControlError: If the broker does not let its administrator in or does not run.
        SecretError: If the administrator's login is missing.
    """
    require_own_broker(settings)
    admin = load_login(settings.secrets_dir / f"{BROKER_ADMIN}.json")
    password = secrets.token_hex(20)
    try:
        with (
            pid_file(settings, "trial"),
            Control(settings.mqtt_port, admin) as control,
            _let_in(control, password, trial.topic),
        ):
            return _Publisher(password).publish(settings.mqtt_port, trial)
    except AlreadyRunning:
        raise TrialError("somebody else publishes a test message just now; try again") from None


@contextmanager
def _let_in(control: Control, password: str, topic: str) -> Iterator[None]:
    """Somebody may publish to that topic alone, for the length of the block.

    What a crash leaves behind has a password nobody knows, and is gone when the broker starts.
    """
    control.put_client(TRIAL, password, publisher_role(TRIAL, topic))
    try:
        yield
    finally:
        control.remove_clients([TRIAL])


class _Publisher:
    """A connection for one message. Its callbacks run on paho's thread and raise nothing."""

    def __init__(self, password: str) -> None:
        self._done = threading.Event()
        self._trial = Trial("none")
        self._taken: Taken | None = None
        self._fault = "it did not answer"
        self._mqtt = Mqtt(
            CallbackAPIVersion.VERSION2,
            client_id=f"{TRIAL}-{secrets.token_hex(8)}",
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self._mqtt.username_pw_set(TRIAL, password)
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_publish = self._on_publish
        self._mqtt.on_unsubscribe = self._on_unsubscribe

    def publish(self, port: int, trial: Trial) -> Taken:
        """Publishes it, and waits until the broker has it."""
        self._trial = trial
        try:
            self._mqtt.connect("127.0.0.1", port, keepalive=30)
        except OSError as error:
            raise TrialError(f"cannot reach the broker on port {port}: {error}") from error
        self._mqtt.loop_start()
        self._done.wait(_PATIENCE_S)
        self._mqtt.disconnect()
        self._mqtt.loop_stop()
        if self._taken is None:
            raise TrialError(f"the broker did not take the message ({self._fault}); see its log")
        return self._taken

    def _on_connect(
        self, mqtt: Mqtt, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, *_: object
    ) -> None:
        if reason.is_failure:
            self._end(None, str(reason))
            return
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's own
        properties.UserProperty = ("simulated", "1")
        one = self._trial
        mqtt.publish(one.topic, one.payload, one.qos, one.retain, properties)

    def _on_publish(
        self, mqtt: Mqtt, _userdata: object, _mid: int, reason: ReasonCode, *_: object
    ) -> None:
        if not self._trial.qos:
            # At QoS 0 nothing is answered; but what is asked after it is answered after it.
            mqtt.unsubscribe(TRIAL)
        elif reason.is_failure:
            self._end(None, str(reason))
        else:
            self._end(Taken.BY_NOBODY if reason.value == _NOBODY else Taken.TAKEN)

    def _on_unsubscribe(self, *_: object) -> None:
        self._end(Taken.TAKEN)

    def _end(self, taken: Taken | None, fault: str = "") -> None:
        self._taken, self._fault = taken, fault
        self._done.set()
