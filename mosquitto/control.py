"""Changes who may speak while the broker runs, through its dynamic-security plugin."""

import queue
import secrets
import threading
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

import orjson
from paho.mqtt.client import Client as Mqtt
from paho.mqtt.client import ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from mosquitto.dynsec import CONTROL_TOPIC, RESPONSE_TOPIC, Json, role_name
from telemetry.fault import Fault
from telemetry.login import Login

_PATIENCE_S = 5.0
_PAGE = 100
_HARMLESS = {
    "createRole": "already exists",
    "createClient": "already exists",
    "deleteRole": "not found",
    "deleteClient": "not found",
}
_UNKNOWN = {0x86, 0x87}  # MQTT 5, 3.2.2.2: bad user name or password, not authorized


class ControlError(Fault):
    """The running broker did not take a change; the message says why and what to do."""


class BrokerStopped(ControlError):
    """Nobody listens on the broker's port."""


class AdminRefused(ControlError):
    """The broker does not let its administrator in, or do what it has to."""


class UnknownToBroker(ControlError):
    """The plugin does not know a client that access.db has."""


def _put_role(role: Json) -> tuple[Json, Json]:
    return {"command": "createRole", **role}, {"command": "modifyRole", **role}


class Control:
    """A connection to the plugin of a running broker, for the length of a `with` block.

    Raises:
        BrokerStopped: On entry, if nobody listens.
        AdminRefused: On entry or from any method, if the broker says that we may not.
        ControlError: On entry or from any method, if the broker refuses or does not answer.
    """

    def __init__(self, port: int, login: Login) -> None:
        self._port = port
        self._ready = threading.Event()
        self._refusal: ControlError | None = None
        self._answers: queue.SimpleQueue[Json | ControlError] = queue.SimpleQueue()
        self._mqtt = Mqtt(
            CallbackAPIVersion.VERSION2,
            client_id=f"{login.client_id}-{secrets.token_hex(4)}",  # two at once are two
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self._mqtt.username_pw_set(login.username, login.password)
        self._mqtt.on_connect = self._on_connect
        self._mqtt.on_disconnect = self._on_disconnect
        self._mqtt.on_subscribe = self._on_subscribe
        self._mqtt.on_publish = self._on_publish
        self._mqtt.on_message = self._on_message

    def __enter__(self) -> Self:
        try:
            self._mqtt.connect("127.0.0.1", self._port, keepalive=30)
        except ConnectionRefusedError:
            raise BrokerStopped(f"no broker listens on port {self._port}; start it") from None
        except OSError as error:
            raise ControlError(f"cannot reach the broker on port {self._port}: {error}") from error
        self._mqtt.loop_start()
        answered = self._ready.wait(_PATIENCE_S)
        if not answered or self._refusal:
            self.__exit__(None, None, None)
            raise self._refusal or self._refused(ControlError, "no answer")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def put_client(self, name: str, password: str, role: Json, client_id: str = "") -> None:
        """The client may speak with that password, in that role; whether or not it could before.

        Args:
            name: Its username.
            password: Its password.
            role: What it may do.
            client_id: The only identifier it may connect with; without one, any.
        """
        roles = [{"rolename": role["rolename"], "priority": 0}]
        account = {"username": name, "password": password, "roles": roles, "clientid": client_id}
        # The plugin knows no "create or replace", and a row of commands is not atomic there.
        self._ask(
            *_put_role(role),
            {"command": "createClient", **account},
            {"command": "modifyClient", **account},
        )

    def put_role(self, role: Json) -> None:
        """That role exists, and allows this."""
        self._ask(*_put_role(role))

    def remove_role(self, name: str) -> None:
        """Nobody has that role; one that is unknown is no error."""
        self._ask({"command": "deleteRole", "rolename": name})

    def default_access(self) -> dict[str, bool]:
        """What anybody may do that no role says anything of."""
        (answer,) = self._ask({"command": "getDefaultACLAccess"})
        return {one["acltype"]: one["allow"] for one in answer["data"]["acls"]}

    def set_default_access(self, allowed: Mapping[str, bool]) -> None:
        """Anybody may do that, if no role says anything of it."""
        acls = [{"acltype": kind, "allow": allow} for kind, allow in allowed.items()]
        self._ask({"command": "setDefaultACLAccess", "acls": acls})

    def change_client(self, name: str, role: Json, client_id: str) -> None:
        """The client has that role and that identifier, and its old password.

        Raises:
            UnknownToBroker: If the plugin does not know it: nobody knows its password.
        """
        roles = [{"rolename": role["rolename"], "priority": 0}]
        self._ask(
            *_put_role(role),
            {"command": "modifyClient", "username": name, "roles": roles, "clientid": client_id},
        )

    def set_enabled(self, name: str, *, enabled: bool) -> None:
        """The client may speak, or is disconnected and may not.

        Raises:
            UnknownToBroker: If the plugin does not know it.
        """
        command = "enableClient" if enabled else "disableClient"
        self._ask({"command": command, "username": name})

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

    def everything(self, command: str, key: str) -> list[Json]:
        """All that the plugin lists, such as `listClients` and `clients`, in full."""
        found: list[Json] = []
        while True:
            request = {"command": command, "verbose": True, "count": _PAGE, "offset": len(found)}
            (answer,) = self._ask(request)
            page = answer["data"][key]
            found += page
            if len(page) < _PAGE:
                return found

    def groups(self) -> list[str]:
        """The names of all groups; 2.0.11 crashes over the roles of one, if they were deleted."""
        (answer,) = self._ask({"command": "listGroups"})
        return [str(name) for name in answer["data"]["groups"]]

    def _ask(self, *commands: Json) -> list[Json]:
        asked = {secrets.token_hex(8): command for command in commands}
        request = [{**command, "correlationData": key} for key, command in asked.items()]
        self._mqtt.publish(CONTROL_TOPIC, orjson.dumps({"commands": request}), qos=1)
        return [self._checked(command, self._answer(key)) for key, command in asked.items()]

    @staticmethod
    def _checked(command: Json, answer: Json) -> Json:
        error = str(answer.get("error", ""))
        harmless = _HARMLESS.get(command["command"])
        if error and not (harmless and harmless in error):
            fault = UnknownToBroker if "Client not found" in error else ControlError
            raise fault(
                f"the broker refused {command['command']}: {error}; "
                "restart it, so that it takes access.db as a whole"
            )
        return answer

    def _answer(self, correlation: str) -> Json:
        while True:
            try:
                answer = self._answers.get(timeout=_PATIENCE_S)
            except queue.Empty:
                raise ControlError(
                    "the broker did not answer; restart it with: .venv/bin/python -m mosquitto run"
                ) from None
            if isinstance(answer, ControlError):
                raise answer
            if answer.get("correlationData") == correlation:
                return answer

    def _on_connect(
        self, mqtt: Mqtt, _userdata: object, _flags: ConnectFlags, reason: ReasonCode, *_: object
    ) -> None:
        if reason.is_failure:
            self._refuse(AdminRefused if reason.value in _UNKNOWN else ControlError, str(reason))
        else:
            mqtt.subscribe(RESPONSE_TOPIC, qos=1)

    def _on_disconnect(
        self, _mqtt: Mqtt, _userdata: object, _flags: object, reason: ReasonCode, *_: object
    ) -> None:
        if not self._ready.is_set():
            self._refuse(ControlError, str(reason))
        self._answers.put(self._refused(ControlError, str(reason)))  # to who waits for one

    def _on_subscribe(
        self, _mqtt: Mqtt, _userdata: object, _mid: int, reasons: list[ReasonCode], *_: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._refuse(AdminRefused, "it may not subscribe")
        self._ready.set()

    def _on_publish(
        self, _mqtt: Mqtt, _userdata: object, _mid: int, reason: ReasonCode, *_: object
    ) -> None:
        if reason.is_failure:
            self._answers.put(self._refused(AdminRefused, "it may not publish"))

    def _on_message(self, _mqtt: Mqtt, _userdata: object, message: MQTTMessage) -> None:
        for answer in _responses(message.payload):
            self._answers.put(answer)

    def _refuse(self, kind: type[ControlError], reason: str) -> None:
        self._refusal = self._refused(kind, reason)
        self._ready.set()

    def _refused(self, kind: type[ControlError], reason: str) -> ControlError:
        return kind(
            f"the broker on port {self._port} does not let its administrator in "
            f"({reason}); restart it with: .venv/bin/python -m mosquitto run"
        )


def _responses(payload: bytes | bytearray) -> list[Json]:
    """The answers in a message of the plugin; none if it is not one: callbacks cannot raise."""
    try:
        document: Any = orjson.loads(payload)  # Any: JSON
    except orjson.JSONDecodeError:
        return []
    answers = document.get("responses", []) if isinstance(document, dict) else []
    return [answer for answer in answers if isinstance(answer, dict)]
