"""Init, and letting clients in and out while no broker runs."""

import json
import os
import sys
from pathlib import Path

import pytest
import structlog

from mosquitto import provision
from mosquitto.access import Access, AccessError
from mosquitto.broker_files import prepare
from mosquitto.control import ControlError
from mosquitto.detail import Detail
from mosquitto.names import NameRefused
from mosquitto.passwords import verify_password
from mosquitto.provision import (
    Permit,
    add_client,
    clients,
    initialise,
    remove_client,
    rotate_client,
)
from telemetry.login import SecretError, load_login
from telemetry.settings import DEMO_CLIENTS, Demo, Settings
from tests.support import make_settings

KILLED = 9


def contents(settings: Settings) -> dict[str, bytes]:
    """Every key, certificate and login, by name."""
    files = [
        *settings.data_dir.glob("ca.crt"),
        *settings.secrets_dir.glob("[!.]*"),
        *settings.broker_dir.glob("[!.]*"),
    ]
    return {path.name: path.read_bytes() for path in files}


def demo_logins(settings: Settings) -> dict[str, dict[str, str]]:
    """The logins of the simulated fleet."""
    logins: dict[str, dict[str, str]] = json.loads((settings.secrets_dir / "demo.json").read_text())
    return logins


def test_init_keeps_secrets_to_their_owner(settings: Settings) -> None:
    """Init makes every secret with mode 0600, in folders that nobody else enters."""
    initialise(settings.model_copy(update={"demo": Demo.ON}))
    assert settings.secrets_dir.stat().st_mode & 0o777 == 0o700
    assert settings.broker_dir.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in settings.secrets_dir.iterdir()}
    assert modes == dict.fromkeys(
        ("ca.key", "broker-admin.json", "collector.json", "demo.json"), 0o600
    )


def test_second_init_changes_no_key(settings: Settings) -> None:
    """Init on a folder that is complete leaves every file as it was."""
    settings = settings.model_copy(update={"demo": Demo.ON})
    initialise(settings)
    before = contents(settings)
    known = clients(settings)
    initialise(settings)
    assert contents(settings) == before
    assert clients(settings) == known


def test_collectors_session_cannot_be_guessed(settings: Settings, tmp_path: Path) -> None:
    """The collector's client identifier is random, so that no client can take its session over."""
    other = make_settings(tmp_path / "other")
    initialise(settings)
    initialise(other)
    ids = {load_login(each.secrets_dir / "collector.json").client_id for each in (settings, other)}
    assert len(ids) == 2
    assert all(each.startswith("culex-collector-") and len(each) > 30 for each in ids)


def test_killed_init_completes_the_next_time(tmp_path: Path) -> None:
    """Init killed before any of its steps on disk completes when run again, with the same keys."""
    steps = 0
    while True:
        settings = make_settings(tmp_path / str(steps), demo=Demo.ON)
        if not _dies(settings, before_step=steps):
            break
        kept = contents(settings)
        initialise(settings)
        after = contents(settings)
        assert {name: after[name] for name in kept} == kept
        assert set(after) >= {"ca.crt", "ca.key", "server.crt", "server.key", "demo.json"}
        for client in clients(settings):
            assert client.enabled
            assert verify_password(demo_logins(settings)[client.name]["password"], client.password)
        assert {client.name for client in clients(settings)} == set(DEMO_CLIENTS)
        steps += 1
    assert steps > 20


def _dies(settings: Settings, before_step: int) -> bool:
    """Whether init, in a process of its own, was killed before its n-th step on disk."""
    child = os.fork()
    if child == 0:
        steps = iter(range(before_step, -1, -1))

        def hook(event: str, _arguments: object) -> None:
            if event in {"os.rename", "sqlite3.connect", "os.mkdir"} and next(steps, 0) == 0:
                os._exit(KILLED)

        structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
        sys.addaudithook(hook)
        initialise(settings)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


@pytest.mark.parametrize(
    ("demo", "own", "runs"),
    [
        (Demo.AUTO, False, True),
        (Demo.AUTO, True, False),
        (Demo.ON, True, True),
        (Demo.OFF, False, False),
    ],
)
def test_fleet_has_logins_when_it_is_to_run(
    settings: Settings, demo: Demo, own: bool, runs: bool
) -> None:
    """The simulated fleet is let in by the setting, or while there is no client of one's own."""
    initialise(settings.model_copy(update={"demo": Demo.ON}))
    if own:
        add_client(settings, "tank")
    initialise(settings.model_copy(update={"demo": demo}))
    assert (settings.secrets_dir / "demo.json").exists() is runs
    fleet = {client.name: client.enabled for client in clients(settings) if client.simulated}
    assert fleet == dict.fromkeys(DEMO_CLIENTS, runs)


def test_fleet_that_was_off_comes_back(settings: Settings) -> None:
    """Turned off and on, the fleet has new passwords that fit, and may speak with them."""
    on = settings.model_copy(update={"demo": Demo.ON})
    initialise(on)
    before = demo_logins(settings)
    initialise(settings)
    initialise(on)
    assert all(demo_logins(settings)[name] != before[name] for name in DEMO_CLIENTS)
    fleet = clients(settings)
    assert {client.name: client.enabled for client in fleet} == dict.fromkeys(DEMO_CLIENTS, True)
    for client in fleet:
        assert verify_password(demo_logins(settings)[client.name]["password"], client.password)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"demo-solar": 1}', '{"demo-solar": {}}'])
def test_broken_fleet_logins_are_made_anew(settings: Settings, content: str) -> None:
    """A demo.json that is broken is replaced: nothing depends on its passwords."""
    on = settings.model_copy(update={"demo": Demo.ON})
    initialise(on)
    (settings.secrets_dir / "demo.json").write_text(content)
    initialise(on)
    assert set(demo_logins(settings)) == set(DEMO_CLIENTS)


def test_broken_login_is_a_sentence(settings: Settings) -> None:
    """A login that is broken is named and left for its owner to look at."""
    initialise(settings)
    path = settings.secrets_dir / "collector.json"
    path.write_text("{")
    with pytest.raises(SecretError, match=r"collector\.json is broken"):
        initialise(settings)


def test_login_readable_by_others_is_refused(settings: Settings) -> None:
    """A secret that others may read stops init with what to do."""
    initialise(settings)
    path = settings.secrets_dir / "collector.json"
    path.chmod(0o644)
    with pytest.raises(SecretError, match="chmod 600"):
        initialise(settings)


def test_client_is_added_and_removed_while_nothing_runs(settings: Settings) -> None:
    """Without a broker, access.db alone is changed; the password is only in the answer."""
    initialise(settings)
    added = add_client(settings, "tank")
    assert (added.publish, added.subscribe) == (["clients/tank/#"], ["clients/tank/cmd/#"])
    kept = Access(settings.access_path).client("tank")
    assert kept is not None
    assert verify_password(added.password, kept.password)
    assert len(added.password) * 4 >= 128
    assert added.password.encode() not in settings.access_path.read_bytes()
    remove_client(settings, "tank")
    assert clients(settings) == []


@pytest.mark.parametrize("fault", [ControlError, SecretError, KeyboardInterrupt, MemoryError])
def test_client_whose_password_nobody_sees_is_not_added(
    settings: Settings, fault: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends it; what was known of an earlier client of the name stays as it was."""

    def fail(*_: object) -> None:
        raise fault("not told")

    initialise(settings)
    access = Access(settings.access_path)
    access.put_detail(Detail("tank", description="the old one"))
    before = access.details()
    monkeypatch.setattr(provision, "live", fail)
    for name in ("tank", "boiler"):
        with pytest.raises(fault):
            add_client(settings, name, Permit(detail=Detail(name, description="the new one")))
    assert clients(settings) == []
    assert access.details() == before


def test_client_is_added_with_what_is_known_of_it(settings: Settings) -> None:
    """It is there at once."""
    initialise(settings)
    detail = Detail("tank", description="in the cellar")
    add_client(settings, "tank", Permit(detail=detail))
    kept = Access(settings.access_path).detail("tank")
    assert kept is not None
    assert kept.detail == detail


def test_what_is_known_of_a_client_outlives_it(settings: Settings) -> None:
    """Its readings stay, and whoever may see them by its tags goes on."""
    initialise(settings)
    add_client(settings, "tank", Permit(detail=Detail("tank", tags=("cellar",))))
    before = Access(settings.access_path).details()
    remove_client(settings, "tank")
    assert Access(settings.access_path).details() == before


@pytest.mark.usefixtures("deaf_broker")
def test_new_password_that_the_broker_did_not_take_is_shown_and_marked(settings: Settings) -> None:
    """It is the one that counts, within a minute: a note says so to the supervisor."""
    rotated = rotate_client(settings, "tank")
    assert rotated.pending
    kept = Access(settings.access_path).client("tank")
    assert kept is not None
    assert verify_password(rotated.password, kept.password)
    assert len(list(settings.run_dir.glob("untold-*"))) == 1


def test_new_password_is_not_pending_where_no_broker_runs(settings: Settings) -> None:
    """One that starts reads it."""
    initialise(settings)
    add_client(settings, "tank")
    assert not rotate_client(settings, "tank").pending
    assert not list(settings.run_dir.glob("untold-*"))


def test_new_password_that_access_db_refuses_changes_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old one counts, nothing is shown, and the broker need not start anew."""

    def refuse(*_: object) -> None:
        raise AccessError("access.db is locked")

    initialise(settings)
    add_client(settings, "tank")
    before = clients(settings)
    monkeypatch.setattr(Access, "rotate_client", refuse)
    with pytest.raises(AccessError):
        rotate_client(settings, "tank")
    assert clients(settings) == before
    assert not list(settings.run_dir.glob("untold-*"))


def test_refused_names_change_nothing(settings: Settings) -> None:
    """A name that is refused, or a client of the fleet, is neither added nor removed."""
    initialise(settings.model_copy(update={"demo": Demo.ON}))
    before = clients(settings)
    with pytest.raises(NameRefused):
        add_client(settings, "a/#")
    with pytest.raises(AccessError, match="simulated fleet"):
        remove_client(settings, "demo-solar")
    assert clients(settings) == before


def test_projection_holds_hashes_and_no_password(settings: Settings) -> None:
    """What the broker reads is written for its account alone, and has no password in it."""
    initialise(settings)
    added = add_client(settings, "tank")
    prepare(settings)
    path = settings.broker_dir / "dynamic-security.json"
    written = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert added.password not in written
    assert load_login(settings.secrets_dir / "collector.json").password not in written
    assert "tank" in {each["username"] for each in json.loads(written)["clients"]}
