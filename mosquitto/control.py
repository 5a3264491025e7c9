"""Changes who may speak while the broker runs, through its dynamic-security plugin."""

import queue
import secrets
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import orjson
from paho.mqtt.client import Client as Mqtt
from paho.mqtt.client import ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from mosquitto.dynsec import CONTROL_TOPIC, RESPONSE_TOPIC, Json, role_name
from telemetry.fault import Fault
from telemetry.login import Login

_PATIENCE_S = 5.0
_HARMLESS = {
    "createRole": "already exists",
    "createClient": "already exists",
    "deleteRole": "not found",
    "deleteClient": "not found",
}


class ControlError(Fault):
    """The running broker did not take a change; the message says why and what to do."""


class BrokerStopped(ControlError):
    """Nobody listens on the broker's port."""


class Control:
    """A connection to the plugin of a running broker, for the length of a `with` block.

    Raises:
        BrokerStopped: On entry, if nobody listens.
        ControlError: On entry or from any method, if the broker refuses or does not answer.
    """

    def __init__(self, port: int, login: Login) -> None:
        self._port = port
        self._ready = threading.Event()
        self._refusal = ""
        self._answers: queue.SimpleQueue[Json] = queue.SimpleQueue()
        self._mqtt = Mqtt(
            CallbackAPIVersion.VERSION2,
            client_id=login.client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self._mqtt.username_pw_set(login.username, login.password)
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_disconnect = self._on_disconnect
        self._mqtt.on_subscribe = self._on_subscribe
        self._mqtt.on_message = self._on_message

    def __enter__(self) -> Self:
        try:
            self._mqtt.connect("127.0.0.1", self._port, keepalive=30)
        except ConnectionRefusedError:
            raise BrokerStopped(f"no broker listens on port {self._port}; start it") from None
        except OSError as error:
            raise ControlError(f"cannot reach the broker on port {self._port}: {error}") from error
        self._mqtt.loop_start()
        if not self._ready.wait(_PATIENCE_S) or self._refusal:
            self.__exit__(None, None, None)
            raise ControlError(
                f"the broker on port {self._port} does not let its administrator in "
                f"({self._refusal or 'no answer'}); restart it with: python -m mosquitto run"
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def put_client(self, name: str, password: str, role: Json) -> None:
        """The client may speak with that password, in that role; whether or not it could before."""
        roles = [{"rolename": role["rolename"], "priority": 0}]
        account = {"username": name, "password": password, "roles": roles}
        # The plugin knows no "create or replace", and a row of commands is not atomic there.
        self._ask(
            {"command": "createRole", **role},
            {"command": "modifyRole", **role},
            {"command": "createClient", **account},
            {"command": "modifyClient", **account},
        )

    def remove_clients(self, names: Iterable[str]) -> None:
        """The clients are disconnected and may not speak; one that is unknown is no error."""
        for name in names:
            self._ask(
                {"command": "deleteClient", "username": name},
                {"command": "deleteRole", "rolename": role_name(name)},
            )

    def set_password(self, name: str, password: str) -> None:
        """One of our own logins has that password; who used it is disconnected."""
        self._ask({"command": "setClientPassword", "username": name, "password": password})

    def _ask(self, *commands: Json) -> None:
        asked = {secrets.token_hex(8): command for command in commands}
        request = [{**command, "correlationData": key} for key, command in asked.items()]
        self._mqtt.publish(CONTROL_TOPIC, orjson.dumps({"commands": request}), qos=1)
        for key, command in asked.items():
            error = str(self._answer(key).get("error", ""))
            harmless = _HARMLESS.get(command["command"])
            if error and not (harmless and harmless in error):
                raise ControlError(
                    f"the broker refused {command['command']}: {error}; "
                    "restart it, so that it takes access.db as a whole"
                )

    def _answer(self, correlation: str) -> Json:
        while True:
            try:
                answer = self._answers.get(timeout=_PATIENCE_S)
            except queue.Empty:
                raise ControlError(
                    "the broker did not answer; restart it with: python -m mosquitto run"
                ) from None
            if answer.get("correlationData") == correlation:
                return answer

    def _on_connect(
        self,
        mqtt: Mqtt,
        _userdata: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._refuse(str(reason))
        else:
            mqtt.subscribe(RESPONSE_TOPIC, qos=1)

    def _on_disconnect(
        self,
        _mqtt: Mqtt,
        _userdata: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if not self._ready.is_set():
            self._refuse(str(reason))

    def _on_subscribe(
        self,
        _mqtt: Mqtt,
        _userdata: object,
        _mid: int,
        reasons: list[ReasonCode],
        _properties: Properties | None,
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refuse("it may not subscribe")
        self._ready.set()

    def _on_message(self, _mqtt: Mqtt, _userdata: object, message: MQTTMessage) -> None:
        for answer in _responses(message.payload):
            self._answers.put(answer)

    def _refuse(self, reason: str) -> None:
        self._refusal = reason
        self._ready.set()


def _responses(payload: bytes | bytearray) -> list[Json]:
    """The answers in a message of the plugin; none if it is not one: callbacks cannot raise."""
    try:
        document: Any = orjson.loads(payload)  # Any: JSON
    except orjson.JSONDecodeError:
        return []
    answers = document.get("responses", []) if isinstance(document, dict) else []
    return [answer for answer in answers if isinstance(answer, dict)]
