"""`python -m collector.demo`: plays the simulated fleet, each client over its own connection.

What a client publishes is a pure function of the time (`collector/fleet.py`), when it does is
decided in `collector/players.py`; this module talks to the broker.
"""

import socket
import sys
import threading
from contextlib import closing
from pathlib import Path

import click
import orjson
import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.backfill import AT_ONCE, ON_THEIR_WAY, is_collecting
from collector.containment import contained
from collector.fleet import FLEET, Publication
from collector.players import Fleet, Player
from telemetry.clock import Clock, now_us
from telemetry.daemon import (
    pid_file,
    prepare_folders,
    start_logging,
    stop_on_signal,
)
from telemetry.fault import one_sentence
from telemetry.interface import Querier, StoreError
from telemetry.login import Login, SecretError, read_secret
from telemetry.settings import Demo, Settings, load_settings
from telemetry.store import open_querier
from telemetry.window import SECOND_US

PROCESS = "demo"
HISTORY_US = 24 * 3600 * SECOND_US

_KEEP_ALIVE_S = 30
_RETRY_S = (1, 30)
_LOOKS, _LOOK_S = 40, 0.25
# Room for the history under way and minutes of live messages. What is beyond it paho drops, and
# the history tells it later.
_QUEUED_MESSAGES = ON_THEIR_WAY // AT_ONCE + 500

log = structlog.get_logger("collector.demo")


class Troubles:
    """Why clients are not connected; says each reason once, however many it meets."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reasons: dict[str, str] = {}

    def note(self, client: str, reason: str) -> None:
        """Keeps why that client cannot speak, and logs it if it is news."""
        with self._lock:
            known = reason in self._reasons.values()
            self._reasons[client] = reason
        if not known:
            log.warning("not connected; trying until it works", reason=reason, client=client)

    def clear(self, client: str) -> None:
        """Forgets what that client had; says so when all are well again."""
        with self._lock:
            had = self._reasons.pop(client, None)
            well = had is not None and not self._reasons
        if well:
            log.info("the simulated fleet is connected again")


class Connection:
    """One client's connection to the broker, renewed whenever it is lost.

    Attributes:
        arrivals: How often the broker took it in.
    """

    def __init__(self, settings: Settings, login: Login, troubles: Troubles):
        self.arrivals = 0
        self._name = login.username
        self._troubles = troubles
        self._refused = False
        self._properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]  # paho's own
        self._properties.UserProperty = ("simulated", "1")
        self._paho = mqtt.Client(CallbackAPIVersion.VERSION2, login.client_id, protocol=mqtt.MQTTv5)
        self._paho.username_pw_set(login.username, login.password)
        self._paho.reconnect_delay_set(*_RETRY_S)
        self._paho.max_queued_messages_set(_QUEUED_MESSAGES)
        self._paho.on_connect = self._on_connect
        self._paho.on_connect_fail = self._on_connect_fail
        self._paho.on_publish = self._on_publish
        self._paho.connect_async("127.0.0.1", settings.mqtt_port, _KEEP_ALIVE_S)

    @property
    def up(self) -> bool:
        """Whether the broker listens to this client."""
        return self._paho.is_connected()

    def start(self) -> None:
        """Begins to connect, and to connect again whenever the link is lost."""
        self._paho.loop_start()

    def publish(self, publication: Publication) -> None:
        """Hands the message to the broker, marked as simulated; without a link it is dropped."""
        if self.up:
            topic, payload = publication.topic, publication.payload
            self._paho.publish(topic, payload, qos=1, properties=self._properties)

    def break_off(self) -> None:
        """Loses the link without a goodbye, as bad radio does."""
        plain = self._paho.socket()
        if isinstance(plain, socket.socket):
            try:
                # Not SSLSocket.shutdown: it would take the TLS state from under the network thread.
                socket.socket.shutdown(plain, socket.SHUT_RDWR)
            except OSError:
                return  # it is lost already

    def say_goodbye(self) -> None:
        """Asks the network thread to disconnect and end."""
        self._paho.disconnect()

    def join(self) -> None:
        """Waits until the network thread has ended."""
        self._paho.loop_stop()

    @contained
    def _on_connect(
        self, _c: object, _u: object, _f: object, reason: ReasonCode, _p: object
    ) -> None:
        if reason.is_failure:
            self._troubles.note(
                self._name,
                f"the broker refuses the login of the simulated fleet ({reason}); "
                "if it should play, run: .venv/bin/python -m mosquitto init, and start it again",
            )
            return
        self.arrivals += 1
        self._troubles.clear(self._name)

    @contained
    def _on_connect_fail(self, _c: object, _u: object) -> None:
        # paho calls this while it handles the error, and does not pass it on.
        error = sys.exc_info()[1]
        reason = getattr(error, "strerror", None) or str(error)
        self._troubles.note(self._name, reason.lower())

    @contained
    def _on_publish(
        self, _c: object, _u: object, _mid: int, reason: ReasonCode, _p: object
    ) -> None:
        if reason.is_failure and not self._refused:
            self._refused = True
            log.warning("the broker refuses a message", client=self._name, reason=str(reason))


def make_fleet(settings: Settings, querier: Querier, clock: Clock, span_us: int) -> Fleet:
    """The simulated fleet, each client with its own login.

    Raises:
        SecretError: If a login cannot be used.
    """
    logins = load_logins(settings.secrets_dir / "demo.json")
    troubles = Troubles()
    return Fleet(
        (
            Player(client, Connection(settings, logins[client.name], troubles), span_us)
            for client in FLEET
        ),
        querier,
        clock,
    )


def load_logins(path: Path) -> dict[str, Login]:
    """The logins of the fleet by client, as `python -m mosquitto init` leaves them.

    Raises:
        SecretError: If they are missing, broken, or readable by others.
    """
    content = read_secret(path)
    try:
        kept = orjson.loads(content)
        return {client.name: Login(**kept[client.name]) for client in FLEET}
    except (ValueError, TypeError, KeyError):
        raise SecretError(
            f"{path} is broken; remove it and run: .venv/bin/python -m mosquitto init"
        ) from None


def why_idle(settings: Settings) -> str:
    """One sentence: why the fleet does not play, and what would make it."""
    if settings.existing_broker is not None:
        return "the simulated fleet plays at Culex's own broker alone, and broker_url names another"
    again = "and run: .venv/bin/python -m mosquitto init"
    if settings.demo is Demo.OFF:
        return f'the simulated fleet is off; to see it, set demo = "auto" in culex.toml {again}'
    if settings.demo is Demo.AUTO and settings.access_path.exists():
        return (
            "the simulated fleet stays away because you have clients of your own; "
            f'to see it beside them, set demo = "on" in culex.toml {again}'
        )
    return "the simulated fleet has no logins yet; run: .venv/bin/python -m mosquitto init"


def await_collector(querier: Querier, stopping: threading.Event) -> None:
    """Lets a collector that starts beside it come first: it sees only who connects after it."""
    for _ in range(_LOOKS):
        try:
            with querier.snapshot() as snapshot:
                if is_collecting(snapshot.writer(), now_us()):
                    return
        except StoreError:  # there is none yet
            pass
        if stopping.wait(_LOOK_S):
            return


def run(settings: Settings, span_us: int = HISTORY_US) -> None:
    """Plays the fleet until SIGTERM or SIGINT, if it has logins; else waits for the signal.

    Args:
        settings: Where broker, logins and store are.
        span_us: How much of the past is told.

    Raises:
        DataFolderError: If the data folder cannot be used.
        SecretError: If a login cannot be used.
        AlreadyRunning: If another process plays the same fleet.
    """
    prepare_folders(settings)
    with pid_file(settings, PROCESS):
        stopping = stop_on_signal()
        start_logging(settings, PROCESS)
        if settings.existing_broker or not (settings.secrets_dir / "demo.json").exists():
            log.info(why_idle(settings))
            stopping.wait()
            return
        with closing(open_querier(settings.store_path)) as querier:
            fleet = make_fleet(settings, querier, now_us, span_us)
            await_collector(querier, stopping)
            log.info("the simulated fleet plays", clients=len(FLEET))
            fleet.run(stopping)
        log.info("stopped")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Plays the simulated fleet in the foreground until Ctrl-C or SIGTERM."""
    with one_sentence():
        run(load_settings())


if __name__ == "__main__":
    main(prog_name="python -m collector.demo")
