"""The diagnostics bundle: enough to help, no readings, no secrets, for admins alone."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from dashboard.admin.diagnostics import LOG_LINES, bundle, newest_lines
from dashboard.admin.page import BUNDLE, PAGE
from dashboard.admin.redaction import MASK, Redactor
from dashboard.app import create_app
from dashboard.people import add_token
from mosquitto.access_tokens import Tokens
from mosquitto.access_users import Users
from telemetry.batch import Arrival, Batch
from telemetry.ledger import account
from telemetry.login import Login, save_login
from telemetry.origins import effective
from telemetry.reading import Reading, Series
from telemetry.settings import Settings
from telemetry.store import open_appender, querier_of
from telemetry.window import HOUR_US
from tests.dashboard.visits import PASSWORD, log_in, quick_hash
from tests.telemetry.builders import NOON_US

ADMIN_PASSWORD = "planted-admin-password"  # noqa: S105  # planted
BROKER_PASSWORD = "planted-broker-password"  # noqa: S105  # planted
KEY = bytes(range(32))
VALUE = 987654.321
HEAD = "culex-diagnostics"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A data folder with a store, logs, and a secret wherever one can be."""
    planted = settings.model_copy(
        update={"admin_password": Settings(admin_password=ADMIN_PASSWORD).admin_password}  # type: ignore[arg-type]  # pydantic converts it
    )
    (settings.secrets_dir / "session.key").write_bytes(KEY)
    (settings.secrets_dir / "session.key").chmod(0o600)
    login = Login("collector", BROKER_PASSWORD, "culex-collector")
    save_login(settings.secrets_dir / "collector.json", login)
    token = add_token(Tokens(settings.access_path), "script")
    lines = [
        f"login of admin with {ADMIN_PASSWORD}", f"connecting with {BROKER_PASSWORD}",
        f"key {KEY.hex()}", f"Authorization: Bearer {token}", f"token {token}",
        "url mqtts://user:hidden-word@host:8883", "{'password': 'never-seen-before'}",
        "passwd=never-seen-either", "an ordinary line",
    ]  # fmt: skip
    (settings.logs_dir / "collector.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with closing(open_appender(settings.store_path)) as appender:
        reading = Reading(Series("boiler", "level"), NOON_US - HOUR_US, VALUE)
        arrival = Arrival(account("boiler", NOON_US - HOUR_US), [reading])
        appender.append(Batch(arrivals=[arrival]))
    return planted


@pytest.fixture
def app(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """The application with this page alone."""
    monkeypatch.setattr("dashboard.app.PAGES", (PAGE,))
    return create_app(settings, lambda: NOON_US)


def made(settings: Settings) -> Iterator[bytes]:
    """The bundle at noon."""
    return bundle(querier_of(settings), settings, effective(settings), NOON_US)


def opened(content: bytes) -> dict[str, str]:
    """The members of a bundle, by name below its folder."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {
            name.removeprefix(f"{HEAD}/"): archive.read(name).decode()
            for name in archive.namelist()
        }


def test_bundle_has_what_helps(settings: Settings) -> None:
    """Versions, settings with their origin, status, storage, the ledger of a day and logs."""
    found = opened(b"".join(made(settings)))
    assert {*found} == {
        "README.txt", "versions.json", "settings.json", "status.json", "storage.json",
        "ledger.json", "logs/collector.log",
    }  # fmt: skip
    assert json.loads(found["versions.json"])["Culex"]
    by_name = {one["name"]: one for one in json.loads(found["settings.json"])}
    assert by_name["spans"]["origin"] == "default"
    assert by_name["data_dir"]["value"] == str(settings.data_dir)
    (row,) = json.loads(found["ledger.json"])
    assert (row["client"], row["readings"]["stored"]) == ("boiler", 1)
    assert json.loads(found["status.json"])["series"] == 1
    assert json.loads(found["storage.json"])["schema"] > 0
    assert "an ordinary line" in found["logs/collector.log"]


def test_bundle_has_no_secret_that_was_planted(settings: Settings) -> None:
    """Neither of the settings nor of secret files nor of log lines, and none as hexadecimal."""
    found = "".join(opened(b"".join(made(settings))).values())
    log = (settings.logs_dir / "collector.log").read_text("utf-8")
    secrets = [
        ADMIN_PASSWORD, BROKER_PASSWORD, KEY.hex(), "hidden-word", "never-seen-before",
        "never-seen-either", next(word for word in log.split() if word.startswith("culex_")),
    ]  # fmt: skip
    for secret in secrets:
        assert secret in log, "it was planted"
        assert secret not in found
    assert found.count(MASK) >= len(secrets)


def test_bundle_has_no_reading(settings: Settings) -> None:
    """What was measured stays here."""
    assert "987654" not in "".join(opened(b"".join(made(settings))).values())


def test_bundle_of_a_folder_without_a_store_says_so_in_its_place(
    settings: Settings, tmp_path: Path
) -> None:
    """What can be told is told all the same."""
    empty = settings.model_copy(update={"data_dir": tmp_path / "empty"})
    found = opened(b"".join(made(empty)))
    assert "make collector" in json.loads(found["status.json"])["error"]
    assert json.loads(found["versions.json"])["Culex"]


def test_bundle_is_sent_part_by_part(settings: Settings) -> None:
    """Its first part is there before the store is asked."""
    parts = made(settings)
    assert next(parts).startswith(b"PK")
    settings.store_path.unlink()
    rest = b"".join(parts)
    assert b"PK\x05\x06" in rest, "the directory at its end"


def test_newest_lines_of_a_long_log_are_whole_and_few(tmp_path: Path) -> None:
    """The last ones, and never more than was asked for."""
    path = tmp_path / "collector.log"
    path.write_text("".join(f"line {n} {'x' * 1000}\n" for n in range(5000)), encoding="utf-8")
    lines = newest_lines(path, LOG_LINES).splitlines()
    assert len(lines) < LOG_LINES
    assert all(one.startswith("line ") for one in lines)
    assert lines[-1].startswith("line 4999 ")
    assert len(newest_lines(path, 3).splitlines()) == 3


def test_text_without_secrets_stays_as_it_is(settings: Settings) -> None:
    """Ordinary words are no secrets, nor is what is short."""
    text = "client boiler connected from 10.0.0.7:1883 with protocol 5; 3 secrets are files"
    assert Redactor(settings).clean(text) == text


def test_admin_fetches_the_bundle_and_nobody_else(app: Flask, users: Users, tokens: Tokens) -> None:
    """A viewer, an operator and a token are refused; a stranger is led to the login."""
    browser = app.test_client()
    assert browser.get(BUNDLE).status_code == 302
    for role in ("viewer", "operator"):
        users.add(role, quick_hash(PASSWORD), role)
        other = app.test_client()
        assert log_in(other, username=role).status_code == 302
        assert other.get(BUNDLE).status_code == 403
    bearer = {"Authorization": f"Bearer {add_token(tokens, 'program')}"}
    assert app.test_client().get(BUNDLE, headers=bearer).status_code == 302
    assert log_in(browser).status_code == 302
    answer = browser.get(BUNDLE)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.is_streamed
    assert "versions.json" in opened(answer.data)


def test_bundle_over_http_carries_no_secret(person_of_admin: FlaskClient) -> None:
    """The same as what is made, over the wire."""
    found = "".join(opened(person_of_admin.get(BUNDLE).data).values())
    assert ADMIN_PASSWORD not in found
    assert BROKER_PASSWORD not in found


@pytest.fixture
def person_of_admin(app: Flask) -> FlaskClient:
    """A browser of the admin."""
    browser = app.test_client()
    assert log_in(browser).status_code == 302
    return browser


def test_ordinary_settings_survive_redaction(settings: Settings) -> None:
    """Masked JSON is JSON still, whatever the names of settings look like."""
    found = opened(b"".join(made(settings)))
    by_name = {one["name"]: one["value"] for one in json.loads(found["settings.json"])}
    assert by_name["admin_password"] == "**********"  # noqa: S105  # masked
    assert by_name["http_port"] == str(settings.http_port)
    assert by_name["late_after"] == "1m"
