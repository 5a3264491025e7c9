"""Paho on sockets of ours, put under it the way it puts its own for WebSockets.

It speaks MQTT 5 or 3.1.1. The older version has no properties: a session is kept as long as the
broker likes, subscriptions have no identifiers, and what the broker retains comes with each
subscription anew.
"""

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from collector.connecting import open_socket
from collector.containment import leave_to_network_thread
from collector.dialect import Version
from collector.link import Endpoint
from collector.pipe import Pipe
from collector.terms import NEVER_EXPIRES
from collector.wire import PACKET_BYTES
from telemetry.login import Login

CONNECT_S = 5.0

_RECEIVE_MAXIMUM = 10_000  # several batches in flight; 2.0.11 exceeds it: the intake is the bound
_UNKNOWN_VERSION = 0x84  # what paho also makes of the 0x01 of a broker of 3.1.1 alone
_PROTOCOLS = {Version.V5: mqtt.MQTTv5, Version.V311: mqtt.MQTTv311}


class Caller(mqtt.Client):
    """Paho for one connection with a broker, over the way that `open_socket` finds.

    Args:
        endpoint: Where the broker is.
        login: Who we are there.
        version: Which version of MQTT it speaks.
        options: What else paho is told.
    """

    def __init__(
        self, endpoint: Endpoint, login: Login, version: Version, **options: bool | None
    ) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            login.client_id,
            protocol=_PROTOCOLS[version],
            reconnect_on_failure=False,  # else it tries MQTT 3.1 on a connection of its own
            **options,  # type: ignore[arg-type]  # by name
        )
        if login.username:
            self.username_pw_set(login.username, login.password or None)
        # Any handler here makes paho leave all writing to the network thread.
        self.on_socket_register_write = leave_to_network_thread
        self._endpoint = endpoint
        self._version = version

    def call(self, keep_alive_s: int, properties: Properties | None = None) -> None:
        """Opens the way and asks the broker to take us in.

        Raises:
            TrustError: If whom to trust cannot be read.
            OSError: If there is no way.
        """
        at = self._endpoint
        start = mqtt.MQTT_CLEAN_START_FIRST_ONLY if properties is None else False
        self.connect_async(at.host, at.port, keep_alive_s, clean_start=start, properties=properties)
        self.reconnect()

    def _create_socket(self) -> "mqtt.SocketLike":
        return open_socket(self._endpoint, CONNECT_S)


class Client(Caller):
    """One connection of our session: it connects, subscribes and publishes.

    Args:
        endpoint: Where the broker is.
        login: Who we are there.
        version: Which version of MQTT it speaks.
        generation: What its messages say they came over.

    Attributes:
        pipe: Its socket, once it is connected.
    """

    pipe: Pipe

    def __init__(self, endpoint: Endpoint, login: Login, version: Version, generation: int) -> None:
        clean = None if version is Version.V5 else False
        super().__init__(endpoint, login, version, clean_session=clean, manual_ack=True)
        self.max_inflight_messages = 1  # what every broker can take (MQTT 5, 3.3.4)
        self._generation = generation

    def resume(self, keep_alive_s: int) -> None:
        """Asks the broker for our session, which it is never to forget; errors as `call`."""
        asked = None
        if self._version is Version.V5:
            asked = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
            asked.SessionExpiryInterval = NEVER_EXPIRES
            asked.ReceiveMaximum = _RECEIVE_MAXIMUM
            asked.MaximumPacketSize = PACKET_BYTES
        self.call(keep_alive_s, asked)

    def ask_for(self, topic_filter: str, identifier: int | None) -> int:
        """Subscribes at QoS 1; returns the identifier of the packet, or 0.

        Args:
            topic_filter: To what.
            identifier: What the broker is to call it on its messages, if it may have a name.
        """
        if self._version is Version.V311:
            return self.subscribe(topic_filter, qos=1)[1] or 0
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        properties = Properties(PacketTypes.SUBSCRIBE)  # type: ignore[no-untyped-call]  # paho's own
        if identifier is not None:
            properties.SubscriptionIdentifier = identifier
        return self.subscribe(topic_filter, options=options, properties=properties)[1] or 0

    def _create_socket(self) -> Pipe:
        self.pipe = Pipe(open_socket(self._endpoint, CONNECT_S), self._generation)
        return self.pipe


def is_too_new(reason: ReasonCode) -> bool:
    """Whether the broker says that it does not speak the version we spoke."""
    return bool(reason.value == _UNKNOWN_VERSION)
