"""The broker as the world meets it: a real Mosquitto on free ports."""

import json
import os
import signal
import socket
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from cryptography import x509
from paho.mqtt.enums import MQTTProtocolVersion

from mosquitto import broker as supervisor
from mosquitto.access import READER, Access
from mosquitto.certificates import Pair, Server, ensure_authority, ensure_server
from mosquitto.control import Control
from mosquitto.dynsec import client_role, publisher_role
from mosquitto.passwords import hashed
from mosquitto.provision import (
    Credentials,
    Permit,
    add_client,
    add_clients,
    initialise,
    remove_client,
    rotate_client,
    set_client_enabled,
    set_client_permit,
)
from mosquitto.reconcile import reconcile
from mosquitto.untold import untold
from telemetry.clock import now_us
from telemetry.denials import Denial, take
from telemetry.login import load_login
from telemetry.settings import Demo, Settings
from tests.mqtt import V5, V311, Listener, Peer
from tests.support import Process, accepts, culex, make_settings, start_broker, wait_until

pytestmark = pytest.mark.broker

DAY_US = 86_400_000_000
BOTH_VERSIONS = pytest.mark.parametrize("version", [V5, V311], ids=["v5", "v311"])
ALL_LISTENERS = pytest.mark.parametrize("listener", list(Listener))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A running broker that the tests of this module leave as it is."""
    settings = make_settings(tmp_path_factory.mktemp("shared"))
    initialise(settings)
    process = start_broker(settings)
    yield settings
    process.stop()


@pytest.fixture(scope="module")
def tank(shared: Settings) -> Credentials:
    """A client, added while the broker runs."""
    return add_client(shared, "tank")


@pytest.fixture(scope="module")
def boiler(shared: Settings) -> Credentials:
    """Another client."""
    return add_client(shared, "boiler")


def login(credentials: Credentials) -> tuple[str, str]:
    """Username and password."""
    return credentials.client, credentials.password


def collector(settings: Settings) -> Peer:
    """The collector's own login, on the plain port of this machine."""
    kept = load_login(settings.secrets_dir / "collector.json")
    return Peer(settings, (kept.username, kept.password), Listener.PLAIN)


@ALL_LISTENERS
@BOTH_VERSIONS
def test_anonymous_is_refused_everywhere(
    shared: Settings, listener: Listener, version: MQTTProtocolVersion
) -> None:
    """Nobody gets in without a login, by whatever door and version."""
    with Peer(shared, None, listener, version) as peer:
        assert not peer.accepted


@ALL_LISTENERS
@BOTH_VERSIONS
def test_wrong_password_is_refused_everywhere(
    shared: Settings, tank: Credentials, listener: Listener, version: MQTTProtocolVersion
) -> None:
    """A known name with a wrong password does not get in."""
    with Peer(shared, (tank.client, "wrong"), listener, version) as peer:
        assert not peer.accepted


@ALL_LISTENERS
@BOTH_VERSIONS
def test_own_topic_reaches_the_collector(
    shared: Settings, tank: Credentials, listener: Listener, version: MQTTProtocolVersion
) -> None:
    """What a client publishes under its own name arrives, by every door and version."""
    topic = f"clients/tank/{listener}-{version}"
    with collector(shared) as ours, Peer(shared, login(tank), listener, version) as peer:
        assert not ours.subscribe("clients/#").is_failure
        assert not peer.publish(topic, "21.5").is_failure
        ours.wait_for(topic)


@BOTH_VERSIONS
@pytest.mark.parametrize(
    "topic",
    [
        "clients/boiler/temperature",
        "clients/tank/cmd/reboot",
        "clients/collector/rate",
        "clients",
        "other",
        "$CONTROL/dynamic-security/v1",
    ],
)
def test_foreign_topic_is_not_delivered(
    shared: Settings, tank: Credentials, topic: str, version: MQTTProtocolVersion
) -> None:
    """What a client publishes under another name reaches nobody; MQTT 5 is told so."""
    marker = f"clients/tank/marker-{version}"
    with collector(shared) as ours, Peer(shared, login(tank), version=version) as peer:
        ours.subscribe("clients/#")
        answer = peer.publish(topic, "1")
        peer.publish(marker, "1")
        ours.wait_for(marker)
        assert answer.is_failure or version is V311
        assert [got for got, _ in ours.messages] == [marker]


@BOTH_VERSIONS
@pytest.mark.parametrize(
    "topic",
    ["#", "clients/#", "clients/boiler/#", "clients/tank/temperature", "$SYS/#", "+/+/cmd/#"],
)
def test_foreign_subscription_is_refused(
    shared: Settings, tank: Credentials, topic: str, version: MQTTProtocolVersion
) -> None:
    """A client hears nothing but its own commands."""
    with Peer(shared, login(tank), version=version) as peer:
        assert peer.subscribe(topic).is_failure
        assert not peer.subscribe("clients/tank/cmd/#").is_failure


def test_collector_reads_the_brokers_figures(shared: Settings) -> None:
    """The collector's login may read what the broker says of itself."""
    with collector(shared) as ours:
        assert not ours.subscribe("$SYS/#").is_failure
        ours.wait_for("$SYS/broker/version")


def test_wrong_authority_is_refused(shared: Settings, tmp_path: Path) -> None:
    """A client that trusts another authority does not talk to this broker."""
    other = Pair(tmp_path / "ca.key", tmp_path / "ca.crt")
    ensure_authority(other, now_us())
    context = ssl.create_default_context(cafile=str(other.certificate))
    with (
        socket.create_connection(("127.0.0.1", shared.mqtt_tls_port)) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_of_today_is_spoken(shared: Settings, version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3 both verify, under the strictest rules Python has."""
    context = ssl.create_default_context(cafile=str(shared.ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", shared.mqtt_tls_port)) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() == {772: "TLSv1.3", 771: "TLSv1.2"}[version]


def test_plain_listener_stays_on_this_machine(shared: Settings) -> None:
    """The port without TLS listens on the loopback address alone, the others everywhere."""
    running = supervisor.find_running(shared)
    assert running is not None
    listening = {
        (each.laddr.port, each.laddr.ip)
        for each in running.net_connections("tcp")
        if each.status == psutil.CONN_LISTEN
    }
    assert {ip for port, ip in listening if port == shared.mqtt_port} == {"127.0.0.1"}
    assert (shared.mqtt_tls_port, "0.0.0.0") in listening  # noqa: S104  # what it should be


def test_second_broker_on_the_same_folder_says_who_runs(shared: Settings) -> None:
    """A second supervisor gives one sentence and does not touch the first."""
    ended = culex(shared, "mosquitto", "run")
    assert ended.returncode == 1
    assert "already running" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_client_added_and_removed_while_running(settings: Settings, broker: Process) -> None:
    """A new client gets in at once; a removed one is disconnected at once and stays out."""
    added = json.loads(culex(settings, "mosquitto", "client", "add", "pump", "--json").stdout)
    pump = (added["username"], added["password"])
    with Peer(settings, pump) as peer:
        assert not peer.publish("clients/pump/on", "1").is_failure
        assert culex(settings, "mosquitto", "client", "remove", "pump").returncode == 0
        wait_until(peer.ended.is_set, 2.0)
    with Peer(settings, pump) as peer:
        assert not peer.accepted
    assert broker.running


def test_clients_survive_a_restart(settings: Settings, broker: Process) -> None:
    """Clients added live and while the broker was stopped get in after it starts again."""
    live = add_client(settings, "live")
    gone = add_client(settings, "gone")
    assert broker.stop() == 0
    offline = add_client(settings, "offline")
    remove_client(settings, "gone")
    again = start_broker(settings)
    try:
        accepted = {}
        for each in (live, offline, gone):
            with Peer(settings, login(each)) as peer:
                accepted[each.client] = peer.accepted
        assert accepted == {"live": True, "offline": True, "gone": False}
    finally:
        again.stop()


def test_forgotten_acknowledgement_is_repaired_at_the_start(
    settings: Settings, broker: Process
) -> None:
    """A client that the plugin acknowledged and lost in a power cut is back after a restart."""
    path = settings.broker_dir / "dynamic-security.json"
    before = path.read_bytes()
    tank = add_client(settings, "tank")
    broker.stop()
    path.write_bytes(before)
    broker.start()
    wait_until(lambda: accepts(settings.mqtt_tls_port))
    with Peer(settings, login(tank)) as peer:
        assert peer.accepted


def test_removed_client_cannot_return_by_client_identifier(
    settings: Settings, broker: Process
) -> None:
    """A removed client's session does not let it in again."""
    tank = add_client(settings, "tank")
    with Peer(settings, login(tank), client_id="tank") as peer:
        assert peer.accepted
    remove_client(settings, "tank")
    with Peer(settings, login(tank), client_id="tank") as peer:
        assert not peer.accepted
    assert broker.running


def test_stop_leaves_no_process_and_no_pid_file(settings: Settings, broker: Process) -> None:
    """SIGTERM ends supervisor and Mosquitto with status 0, and removes their PID files."""
    running = supervisor.find_running(settings)
    assert running is not None
    assert broker.stop() == 0
    assert not running.is_running()
    assert list(settings.run_dir.iterdir()) == []
    assert not (settings.broker_dir / "mosquitto.pid").exists()
    assert "terminating" in (settings.logs_dir / "broker.log").read_text()


def test_interrupt_stops_it_like_terminate(settings: Settings, broker: Process) -> None:
    """Ctrl-C ends it with status 0 too."""
    assert broker.stop(signal.SIGINT) == 0
    assert not accepts(settings.mqtt_port)


def test_killed_mosquitto_ends_the_supervisor_with_a_sentence(
    settings: Settings, broker: Process
) -> None:
    """When Mosquitto is killed the supervisor says so and by what, so that keep starts it again."""
    running = supervisor.find_running(settings)
    assert running is not None
    running.kill()
    assert broker.wait() == 128 + signal.SIGKILL
    assert "mosquitto stopped by itself" in broker.output
    assert "Traceback" not in broker.output


def test_killed_supervisor_leaves_nothing_in_the_way(settings: Settings, broker: Process) -> None:
    """After kill -9 of the supervisor the next one takes over from the Mosquitto left behind."""
    orphan = supervisor.find_running(settings)
    assert orphan is not None
    broker.stop(signal.SIGKILL)
    assert accepts(settings.mqtt_port)
    broker.start()
    wait_until(lambda: _pid(settings) not in (None, orphan.pid) and accepts(settings.mqtt_port))
    assert broker.stop() == 0
    assert not accepts(settings.mqtt_port)


def _pid(settings: Settings) -> int | None:
    running = supervisor.find_running(settings)
    return running.pid if running else None


def test_hung_mosquitto_is_killed_in_time(settings: Settings, broker: Process) -> None:
    """A Mosquitto that does not react is killed, and nothing is left after 5 s."""
    running = supervisor.find_running(settings)
    assert running is not None
    running.suspend()
    broker.stop()
    assert not running.is_running()
    assert "was killed" in broker.output


def test_expired_certificate_is_replaced_while_running(settings: Settings, broker: Process) -> None:
    """Init replaces an expired certificate; soon TLS and WebSockets both serve the new one."""
    first = _served(settings)
    expired = _let_expire(settings)
    assert culex(settings, "mosquitto", "init").returncode == 0
    fresh = _on_disk(settings)
    assert fresh not in {expired, *first}
    wait_until(lambda: _served(settings) == {fresh})
    assert broker.running


def test_certificate_renewed_by_the_supervisor_is_served_on_both_ports(settings: Settings) -> None:
    """The supervisor renews by itself, and SIGTERM still stops whatever Mosquitto runs then."""
    initialise(settings)
    tank = add_client(settings, "tank")
    soon = "from mosquitto import broker, __main__ as command; broker._RENEWAL_S = 0.5"
    run = "command.main(['run'], standalone_mode=False)"
    process = Process(settings, "timeit", "-n1", "-r1", "-s", soon, run).start()
    try:
        wait_until(lambda: len(_served(settings)) == 1)
        pid = _pid(settings)
        with collector(settings) as ours:
            expired = _let_expire(settings)
            wait_until(ours.ended.is_set)
        wait_until(lambda: _served(settings) == {_on_disk(settings)} and _pid(settings) != pid)
        assert _on_disk(settings) != expired
        with Peer(settings, login(tank), Listener.WS) as peer:
            assert peer.accepted
    finally:
        assert process.stop() == 0
    assert not accepts(settings.mqtt_port)


def test_broker_that_says_too_much_is_quiet_for_a_while(settings: Settings) -> None:
    """Nobody is disconnected by that, and what is refused before and after it is handed on."""
    initialise(settings)
    tank = add_client(settings, "tank")
    short = "from mosquitto import chatter, __main__ as command; chatter.FIRST_PAUSE_S = 0.5"
    little = "chatter.MOST_BYTES_PER_S = 3000; chatter.LOOK_S = 0.2"
    run = "command.main(['run'], standalone_mode=False)"
    process = Process(settings, "timeit", "-n1", "-r1", "-s", f"{short}; {little}", run).start()
    configuration = settings.broker_dir / "mosquitto.conf"
    try:
        wait_until(lambda: accepts(settings.mqtt_ws_port))
        with Peer(settings, login(tank)) as peer:
            quiet = []
            while not quiet:
                peer.publish("clients/tank/much", "1")
                quiet = [] if "\nlog_type debug\n" in configuration.read_text("utf-8") else [1]
            wait_until(lambda: "\nlog_type debug\n" in configuration.read_text("utf-8"))
            told: list[Denial] = []
            while not told:
                peer.publish("clients/elsewhere/t", "1")
                told = take(settings.denials_dir)
            assert not peer.ended.is_set()
        assert told[0].parts == ("tank", "clients/elsewhere/t")
    finally:
        assert process.stop() == 0


def _let_expire(settings: Settings) -> int:
    """The serial number of an expired certificate that takes the place of the good one."""
    pair = Pair(settings.broker_dir / "server.key", settings.broker_dir / "server.crt")
    authority = ensure_authority(Pair(settings.secrets_dir / "ca.key", settings.ca_file), now_us())
    pair.certificate.unlink()
    server = Server("Culex broker", frozenset({"localhost"}))
    ensure_server(pair, authority, server, now_us() - 500 * DAY_US)
    return _on_disk(settings)


def _on_disk(settings: Settings) -> int:
    pem = (settings.broker_dir / "server.crt").read_bytes()
    return x509.load_pem_x509_certificate(pem).serial_number


def _served(settings: Settings) -> set[int]:
    """The serial numbers that the two TLS ports serve; none while they cannot be reached."""
    serials = set()
    for port in (settings.mqtt_tls_port, settings.mqtt_ws_port):
        try:
            pem = ssl.get_server_certificate(("127.0.0.1", port), timeout=5.0)
        except OSError:
            return set()
        serials.add(x509.load_pem_x509_certificate(pem.encode()).serial_number)
    return serials


def test_init_lets_the_fleet_into_a_running_broker(settings: Settings, broker: Process) -> None:
    """Turning the simulated fleet on and off takes effect at once."""
    path = settings.secrets_dir / "demo.json"
    on = settings.model_copy(update={"demo": Demo.ON})
    assert culex(on, "mosquitto", "init").returncode == 0
    solar = json.loads(path.read_text())["demo-solar"]
    with Peer(settings, (solar["username"], solar["password"])) as peer:
        assert peer.accepted
        assert culex(settings, "mosquitto", "init").returncode == 0
        wait_until(peer.ended.is_set, 2.0)
    assert not path.exists()
    with Peer(settings, (solar["username"], solar["password"])) as peer:
        assert not peer.accepted
    assert broker.running


def test_new_collector_login_works_at_once(settings: Settings, broker: Process) -> None:
    """A collector login that was lost is made anew, in the running broker too."""
    (settings.secrets_dir / "collector.json").unlink()
    assert culex(settings, "mosquitto", "init").returncode == 0
    with collector(settings) as ours:
        assert ours.accepted
    assert broker.running


@pytest.mark.parametrize("key", ["mqtt_port", "mqtt_tls_port", "mqtt_ws_port"])
def test_taken_port_is_named_with_its_setting(settings: Settings, key: str) -> None:
    """A port in use gives one sentence with the setting that changes it, and exit 1."""
    initialise(settings)
    with socket.socket() as other:
        other.bind(("127.0.0.1", getattr(settings, key)))
        other.listen()
        ended = culex(settings, "mosquitto", "run")
    assert ended.returncode == 1
    assert f"port {getattr(settings, key)} is taken" in ended.stderr
    assert f"CULEX_{key.upper()}" in ended.stderr
    assert list(settings.run_dir.iterdir()) == []


def test_folder_with_spaces_works(tmp_path: Path) -> None:
    """A data folder whose name has spaces and other letters is no obstacle."""
    settings = make_settings(tmp_path / "my data é #1 $x")
    initialise(settings)
    process = start_broker(settings)
    try:
        tank = add_client(settings, "tank")
        with Peer(settings, login(tank)) as peer:
            assert peer.accepted
    finally:
        assert process.stop() == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become the account mosquitto")
def test_root_becomes_the_account_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Started by root in a folder that the account mosquitto can enter, the broker is not root."""
    folder = tmp_path_factory.mktemp("open")
    closed = [parent for parent in (folder, *folder.parents) if not parent.stat().st_mode & 1]
    modes = {parent: parent.stat().st_mode for parent in closed}
    for parent in closed:
        parent.chmod(0o711)
    settings = make_settings(folder)
    initialise(settings)
    process = start_broker(settings)
    try:
        running = supervisor.find_running(settings)
        assert running is not None
        assert running.username() == "mosquitto"
        assert "runs as root" not in process.output
        tank = add_client(settings, "tank")
        with Peer(settings, login(tank)) as peer:
            assert not peer.publish("clients/tank/level", "3").is_failure
        written = settings.broker_dir / "dynamic-security.json"
        assert written.stat().st_mode & 0o777 == 0o600
    finally:
        process.stop()
        for parent, mode in modes.items():
            parent.chmod(mode)


def test_client_cannot_take_the_identifier_of_another(
    shared: Settings, tank: Credentials, boiler: Credentials
) -> None:
    """Nobody can end another's connection by its identifier, or have one without a name."""
    with Peer(shared, login(tank)) as peer:
        for identifier in ("tank", "x", "boiler "):
            with Peer(shared, login(boiler), client_id=identifier) as thief:
                assert not thief.accepted
        assert not peer.ended.is_set()
        assert not peer.publish("clients/tank/n", "1").is_failure


def test_client_that_may_choose_its_identifier_does(shared: Settings) -> None:
    """For tools that make one up; and it can be bound later."""
    free = add_client(shared, "free", Permit(bound=False))
    assert not free.client_id
    with Peer(shared, login(free), client_id="anything") as peer:
        assert peer.accepted
    set_client_permit(shared, "free", Permit())
    with Peer(shared, login(free), client_id="anything") as peer:
        assert not peer.accepted
    with Peer(shared, login(free)) as peer:
        assert peer.accepted


def test_reader_hears_all_and_speaks_for_itself(shared: Settings, tank: Credentials) -> None:
    """What Node-RED needs: every reading, and no other client's topics to publish to."""
    flows = add_client(shared, "flows", Permit(READER))
    with Peer(shared, login(flows)) as reader, Peer(shared, login(tank)) as peer:
        assert not reader.subscribe("clients/#").is_failure
        assert peer.subscribe("clients/#").is_failure
        peer.publish("clients/tank/n", "1")
        reader.wait_for("clients/tank/n")
        assert reader.publish("clients/tank/n", "2").is_failure
        assert reader.publish("clients/flows/cmd/x", "2").is_failure


def test_client_that_is_disabled_is_out_at_once_until_it_is_enabled(shared: Settings) -> None:
    """Its password is kept, and only the broker's own answer counts."""
    one = add_client(shared, "onoff")
    with Peer(shared, login(one)) as peer:
        set_client_enabled(shared, "onoff", enabled=False)
        assert peer.ended.wait(30)
    with Peer(shared, login(one)) as peer:
        assert not peer.accepted
    set_client_enabled(shared, "onoff", enabled=True)
    with Peer(shared, login(one)) as peer:
        assert peer.accepted


def test_client_with_a_new_password_is_out_with_the_old_one(shared: Settings) -> None:
    """Who holds the old one is disconnected within a second."""
    old = add_client(shared, "rotated")
    with Peer(shared, login(old)) as peer:
        new = rotate_client(shared, "rotated")
        assert peer.ended.wait(30)
    assert new.password != old.password
    with Peer(shared, login(old)) as peer:
        assert not peer.accepted
    with Peer(shared, login(new)) as peer:
        assert peer.accepted


def test_what_the_broker_allows_is_brought_back_to_what_is_written(shared: Settings) -> None:
    """Somebody changes the plugin behind our back: all of it is found, and undone."""
    gone = add_client(shared, "drifted")
    admin = load_login(shared.secrets_dir / "broker-admin.json")
    assert reconcile(shared).said == []
    with Control(shared.mqtt_port, admin) as control:
        control.put_client("stranger", "password", publisher_role("stranger", "#"))
        wide = client_role("drifted", ["clients/{client}", "all/{client}"], READER)
        control.change_client("drifted", wide, "")
        control.set_enabled("drifted", enabled=False)
    drift = reconcile(shared)
    assert sorted(drift.said) == [
        "client drifted was different",
        "client drifted was off",
        "client stranger was there",
        "role client-drifted was different",
    ]
    assert not drift.needs_restart
    assert reconcile(shared).said == []
    with Peer(shared, login(gone)) as peer:
        assert peer.accepted
        assert peer.publish("all/drifted", "1").is_failure
    with Peer(shared, ("stranger", "password")) as peer:
        assert not peer.accepted


def test_client_that_the_broker_forgot_is_let_in_again(settings: Settings) -> None:
    """As after a power cut: a login can only come from the file, so the broker starts again."""
    initialise(settings)
    process = start_broker(settings)
    try:
        tank = add_client(settings, "tank")
        admin = load_login(settings.secrets_dir / "broker-admin.json")
        with Control(settings.mqtt_port, admin) as control:
            control.remove_clients(["tank"])
        assert reconcile(settings).needs_restart
        set_client_enabled(settings, "tank", enabled=True)  # the broker does not know it
        wait_until(lambda: is_let_in(settings, tank))
    finally:
        process.stop()


def test_supervisor_compares_by_itself(settings: Settings) -> None:
    """What changes behind its back is undone, and a login that is missing comes back."""
    initialise(settings)
    tank = add_client(settings, "tank")
    admin = load_login(settings.secrets_dir / "broker-admin.json")
    soon = "from mosquitto import broker, __main__ as command; broker._RECONCILE_S = 0.5"
    run = "command.main(['run'], standalone_mode=False)"
    process = Process(settings, "timeit", "-n1", "-r1", "-s", soon, run).start()
    try:
        wait_until(lambda: is_let_in(settings, tank))
        with Control(settings.mqtt_port, admin) as control:
            control.put_client("stranger", "password", publisher_role("stranger", "#"))
            control.remove_clients(["tank"])
        wait_until(lambda: "client stranger was there" in process.output)
        wait_until(lambda: is_let_in(settings, tank))
    finally:
        assert process.stop() == 0


def test_many_administrators_at_once_do_not_disturb_each_other(shared: Settings) -> None:
    """Eight of them add clients in the same moment, and the broker is compared meanwhile."""
    names = [f"many-{number}" for number in range(8)]
    with ThreadPoolExecutor(9) as pool:
        comparing = pool.submit(reconcile, shared)
        added = list(pool.map(lambda name: add_client(shared, name), names))
        assert comparing.result().said == []
    for one in added:
        with Peer(shared, login(one)) as peer:
            assert peer.accepted


def test_password_that_was_not_told_counts_after_the_next_comparison(settings: Settings) -> None:
    """A command was killed between access.db and the broker: the old password ends all the same."""
    initialise(settings)
    soon = "from mosquitto import broker, untold, __main__ as command; broker._RECONCILE_S = 0.5"
    soon += "; untold._TELLING_S = 0.5"
    run = "command.main(['run'], standalone_mode=False)"
    old = add_client(settings, "tank")
    process = Process(settings, "timeit", "-n1", "-r1", "-s", soon, run).start()
    try:
        wait_until(lambda: is_let_in(settings, old))
        with suppress(KeyboardInterrupt), untold(settings):
            Access(settings.access_path).rotate_client("tank", hashed("another"))
            raise KeyboardInterrupt
        wait_until(lambda: is_let_in(settings, replace(old, password="another")))  # noqa: S106
        assert not is_let_in(settings, old)
        assert not list(settings.run_dir.glob("untold-*"))
    finally:
        assert process.stop() == 0


def test_file_of_before_brings_no_client_back(settings: Settings) -> None:
    """The plugin's file is restored from before a client was shut out: it stays out."""
    initialise(settings)
    process = start_broker(settings)
    tank = add_client(settings, "tank")
    path = settings.broker_dir / "dynamic-security.json"
    before = path.read_bytes()
    set_client_enabled(settings, "tank", enabled=False)
    process.stop()
    path.write_bytes(before)
    process.start()
    try:
        wait_until(lambda: accepts(settings.mqtt_tls_port))
        assert not is_let_in(settings, tank)
    finally:
        process.stop()


def test_list_of_clients_is_let_in_at_once(settings: Settings) -> None:
    """Two hundred of them; whoever is connected comes back by itself."""
    initialise(settings)
    process = start_broker(settings)
    try:
        names = [f"meter-{number}" for number in range(200)]
        added = add_clients(settings, dict.fromkeys(names, Permit()))
        assert [each.client for each in added] == names
        wait_until(lambda: is_let_in(settings, added[0]))
        assert is_let_in(settings, added[-1])
    finally:
        process.stop()


def is_let_in(settings: Settings, credentials: Credentials) -> bool:
    """Whether the broker takes these; one that is just starting does not."""
    try:
        with Peer(settings, login(credentials), Listener.PLAIN) as peer:
            return peer.accepted
    except OSError:
        return False
