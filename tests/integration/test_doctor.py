"""Each cause of missing data, provoked with a real broker and collector, and what is found."""

import json
import socket
import ssl
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress

import pytest

from mosquitto.broker import end_orphan
from mosquitto.provision import Credentials, Permit, add_client, initialise
from telemetry.clock import now_us
from telemetry.diagnosis import diagnose
from telemetry.facts import gather
from telemetry.finding import Finding, Severity
from telemetry.presence import EventKind
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.window import ALL_TIME
from tests.mqtt import V5, V311, Listener, Peer
from tests.support import Process, culex, make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker

MOST_METRICS = 3


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running broker and collector that all tests here share; each has clients of its own."""
    settings = make_settings(tmp_path_factory.mktemp("doctor"), client_series=MOST_METRICS)
    initialise(settings)
    broker = start_broker(settings)
    collector = Process(settings, "collector", "run").start()
    try:
        wait_until(lambda: "collecting" in collector.output)
        wait_until(lambda: sees(settings))
        yield settings
    finally:
        collector.stop()
        broker.stop()
        end_orphan(settings)


def sees(settings: Settings) -> bool:
    """Whether the collector sees who is connected."""
    with closing(open_querier(settings.store_path)) as querier, querier.snapshot() as snapshot:
        return bool(snapshot.events_of(EventKind.WATCH_BACK, ALL_TIME, 1))


def found(settings: Settings, client: str) -> list[Finding]:
    """What is found of a client now."""
    with closing(open_querier(settings.store_path)) as querier, querier.snapshot() as snapshot:
        return diagnose(gather(snapshot, client, now_us()))


def of(settings: Settings, client: str, code: str) -> list[Finding]:
    """The findings with that word."""
    return [one for one in found(settings, client) if one.code == code]


def await_finding(settings: Settings, client: str, code: str, cause: str = "") -> Finding:
    """The first finding with that word, and those words in its cause, once there is one."""
    told: list[Finding] = []

    def there() -> bool:
        told[:] = [one for one in of(settings, client, code) if cause in one.cause]
        return bool(told)

    wait_until(there)
    return told[0]


def peer(settings: Settings, client: Credentials, **how: object) -> Peer:
    """A connection of a client; to be used in a `with` block."""
    return Peer(settings, (client.client, client.password), **how)  # type: ignore[arg-type]  # as Peer takes it


def test_client_that_never_came_is_told_what_to_check(settings: Settings) -> None:
    """Nothing is known of it, and nothing is made up."""
    one = await_finding(settings, add_client(settings, "never-here").client, "never")
    assert one.severity is Severity.FAIL
    assert "password" in one.remedy


@pytest.mark.parametrize("login", [("pump", "wrong"), ("who-is-that", "wrong"), None])
def test_login_that_is_refused_is_told_without_certainty(
    settings: Settings, login: tuple[str, str] | None
) -> None:
    """The broker does not say whose it was; so it is a hint for each client that is not there."""
    with Peer(settings, login, Listener.PLAIN) as refused:
        assert not refused.accepted
    one = await_finding(settings, "pump", "maybe-login")
    assert one.severity is Severity.WARN
    assert "127.0.0.1" in one.seen
    assert "does not say whose" in one.cause


def test_login_refused_from_where_it_was_connected_is_a_hint(settings: Settings) -> None:
    """Others may share its address; what was refused before it was let in was not its own."""
    client = add_client(settings, "relocked")
    with peer(settings, client, listener=Listener.PLAIN) as accepted:
        assert accepted.accepted
    await_finding(settings, client.client, "disconnected")
    assert not of(settings, client.client, "maybe-login")
    with Peer(settings, (client.client, "old"), Listener.PLAIN):
        pass
    with socket.create_connection(("127.0.0.1", settings.mqtt_tls_port)) as plain:
        plain.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04tank")
        with suppress(OSError):
            plain.recv(10)
    one = await_finding(settings, client.client, "maybe-login", "without TLS")
    assert one.severity is Severity.WARN
    assert not of(settings, client.client, "login")


def test_old_tls_is_told_as_such(settings: Settings) -> None:
    """The reason stands in a line of its own, which says no more than OpenSSL does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(("127.0.0.1", settings.mqtt_tls_port)) as plain,
        pytest.raises(OSError, match=r"(?i)version|protocol"),
    ):
        context.wrap_socket(plain)
    assert await_finding(settings, "old-thing", "maybe-login", "older than 1.2")


@pytest.mark.parametrize("version", [V5, V311], ids=["v5", "v311"])
def test_refused_topic_is_told_whatever_the_client_was_told(
    settings: Settings, version: int
) -> None:
    """MQTT 3.1.1 clients see success; the broker's debug line is the only witness."""
    client = add_client(settings, f"astray-{version}", Permit(bound=False))
    with peer(settings, client, version=version, client_id=f"id-{version}") as sender:
        for _ in range(3):
            sender.publish("clients/elsewhere/temperature", "21")
    one = await_finding(settings, client.client, "topic")
    assert one.severity is Severity.FAIL
    assert "clients/elsewhere/temperature" in one.seen
    assert f"clients/{client.client}/" in one.remedy
    assert await_finding(settings, "elsewhere", "foreign-topic").severity is Severity.WARN


def test_forged_topic_incriminates_nobody(settings: Settings) -> None:
    """A topic that looks like another refusal is the topic of who sent it."""
    client = add_client(settings, "forger", Permit(bound=False))
    forged = "x', ... (1 bytes)) Denied PUBLISH from innocent (d0, q0, r0, m0, 'clients/y"
    with peer(settings, client, client_id="forger-id") as sender:
        sender.publish(forged, "1")
    assert "Denied PUBLISH from innocent" in await_finding(settings, client.client, "topic").seen
    assert of(settings, "innocent", "topic") == []


def test_topic_of_no_template_is_unmapped(settings: Settings) -> None:
    """The client may publish there, and nothing makes readings of it."""
    client = add_client(settings, "deep")
    with peer(settings, client) as sender:
        sender.publish("clients/deep/a/b/c", "21")
    one = await_finding(settings, client.client, "unmapped")
    assert "clients/deep/a/b/c" in one.seen
    assert "template" in one.remedy


@pytest.mark.parametrize(
    ("name", "payload", "code", "part"),
    [
        ("garbler", '{"temperature": ', "payload", "JSON"),
        ("comma", "21,5", "payload", "decimal comma"),
        ("prophet", '{"time": 4102444800, "temperature": 21}', "clock", "future"),
    ],
)
def test_payload_that_is_no_reading_says_why(
    settings: Settings, name: str, payload: str, code: str, part: str
) -> None:
    """In the words of the Quality page."""
    client = add_client(settings, name)
    with peer(settings, client) as sender:
        sender.publish(f"clients/{name}/{'telemetry' if '{' in payload else 't'}", payload)
    assert part in await_finding(settings, name, code).cause


def test_limit_that_is_reached_is_told(settings: Settings) -> None:
    """The readings within the limit arrive, so it is a warning."""
    client = add_client(settings, "chatty")
    with peer(settings, client) as sender:
        for number in range(MOST_METRICS + 2):
            sender.publish(f"clients/chatty/m{number}", "1")
    one = await_finding(settings, client.client, "limit")
    assert one.severity is Severity.WARN
    assert "client_series" in one.remedy
    assert of(settings, client.client, "arriving")


def test_connected_client_that_says_nothing_is_silent(settings: Settings) -> None:
    """It is there, and nothing of it comes; once it has gone, that is said."""
    client = add_client(settings, "mute")
    with peer(settings, client):
        assert "connected from 127.0.0.1" in await_finding(settings, "mute", "silent").seen
    assert "in order" in await_finding(settings, "mute", "disconnected").cause


def test_packet_that_is_too_large_ends_the_connection(settings: Settings) -> None:
    """The broker says why, and that is what is told."""
    client = add_client(settings, "heavy")
    with peer(settings, client, listener=Listener.PLAIN) as sender, suppress(KeyError):
        sender.publish("clients/heavy/picture", b"x" * 1_100_000)
    assert "1 MB" in await_finding(settings, "heavy", "disconnected").cause


def test_two_programs_with_one_identifier_are_told(settings: Settings) -> None:
    """They take it from each other again and again."""
    client = add_client(settings, "twins", Permit(bound=False))
    with ExitStack() as connections:
        for _ in range(4):  # they stay away: a real one would come again at once
            connections.enter_context(peer(settings, client, client_id="same"))
        assert await_finding(settings, "twins", "taken-over").times >= 3


def test_command_tells_the_installation_and_a_client(settings: Settings) -> None:
    """What runs is fine; a client without data fails, and both say so to scripts."""
    whole = culex(settings, "telemetry", "doctor", "--json")
    told = json.loads(whole.stdout)
    bad = [one for one in told["findings"] if one["severity"] == "fail"]
    assert (bad, whole.returncode) == ([], 0), whole.stdout
    codes = {one["code"] for one in told["findings"]}
    assert {"port-plain", "port-tls", "port-ws", "secrets", "disk", "queue", "wal"} <= codes
    add_client(settings, "never-there")
    one = culex(settings, "telemetry", "doctor", "never-there")
    assert one.returncode == 1
    assert "fail" in one.stdout
    assert "To do: Check in the client" in one.stdout


def test_command_knows_who_has_a_login_and_who_is_shut_out(settings: Settings) -> None:
    """By access.db: a name that nobody has is told with those of like name."""
    client = add_client(settings, "fountain")
    nobody = culex(settings, "telemetry", "doctor", "fountian")
    assert nobody.returncode == 1
    assert "There is no client of this name" in nobody.stdout
    assert "like name (fountain)" in nobody.stdout
    with peer(settings, client) as sender:
        sender.publish("clients/fountain/level", "1")
    await_finding(settings, client.client, "arriving")
    assert culex(settings, "telemetry", "doctor", "fountain").returncode == 0
    assert culex(settings, "mosquitto", "client", "disable", "fountain").returncode == 0
    out = culex(settings, "telemetry", "doctor", "fountain")
    assert out.returncode == 1
    assert out.stdout.startswith("fail  Its login is shut out.")
    assert "Readings arrive" not in out.stdout


def test_command_finds_a_secret_that_others_can_read(settings: Settings) -> None:
    """A broken installation fails, and says which file."""
    secret = settings.secrets_dir / "collector.json"
    mode = secret.stat().st_mode
    secret.chmod(0o644)
    try:
        whole = culex(settings, "telemetry", "doctor")
    finally:
        secret.chmod(mode)
    assert whole.returncode == 1
    assert "collector.json" in whole.stdout
    assert "chmod" in whole.stdout


def test_stopped_installation_says_what_to_start(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing runs, and everything that is asked for fails in its own line."""
    stopped = make_settings(tmp_path_factory.mktemp("stopped"))
    initialise(stopped)
    whole = culex(stopped, "telemetry", "doctor", "--json")
    told = {one["code"]: one for one in json.loads(whole.stdout)["findings"]}
    assert whole.returncode == 1
    assert {told[code]["severity"] for code in ("broker", "collector", "port-tls")} == {"fail"}
    assert told["store"]["severity"] == "warn"
    assert told["secrets"]["severity"] == "ok"
    assert all(one["remedy"] for one in told.values() if one["severity"] == "fail")
