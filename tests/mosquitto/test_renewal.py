"""What broker and clients find on disk as certificates come and go."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.x509 import IPAddress, SubjectAlternativeName
from structlog.testing import capture_logs

from mosquitto.__main__ import main
from mosquitto.pem import CertificateError, load_certificates
from mosquitto.provision import initialise
from mosquitto.renewal import (
    authority_validity,
    broker_files,
    broker_validity,
    http_validity,
    prepare_http,
    renew,
    served,
)
from mosquitto.rotation import switch, trust_next
from telemetry.clock import now_us
from telemetry.settings import Settings
from tests.pki import Files, Holder
from tests.support import environment

DAY_US = 86_400_000_000
ROOT = Holder("Root", days=500)
SERVER = Holder("Broker", ROOT, ("localhost", "127.0.0.1"), days=60)
EXPIRED = Holder("Broker", ROOT, ("localhost",), days=-3)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A certificate of the user's own."""
    files = Files(tmp_path / "own.crt", tmp_path / "own.key")
    files.put(SERVER, ROOT)
    return files


@pytest.fixture
def own(settings: Settings, files: Files) -> Settings:
    """The settings that name it."""
    initialise(settings)
    names = {"tls_certificate": str(files.certificate), "tls_key": str(files.key)}
    return settings.model_copy(update=names)


def invoke(settings: Settings, *arguments: str) -> Result:
    """Runs the command with these settings."""
    return CliRunner().invoke(main, arguments, env=environment(settings))


def test_own_certificate_takes_the_place_of_ours(own: Settings) -> None:
    """It is served from a copy that only the broker reads, and clients are told its root."""
    ours = load_certificates(own.ca_file)
    assert renew(own).changed
    copy = broker_files(own).certificate
    assert copy.parent == own.broker_dir
    assert copy.stat().st_mode & 0o777 == 0o600
    assert load_certificates(copy) == [SERVER.certificate, ROOT.certificate]
    assert load_certificates(own.ca_file) == [*ours, ROOT.certificate]
    again = renew(own)
    assert (again.changed, again.fault, again.warning) == (False, "", "")


def test_bad_new_certificate_leaves_the_old_one(own: Settings, files: Files) -> None:
    """The fault is told, the copy stays as it is, and clients are told the same as before."""
    renew(own)
    before = served(own), own.ca_file.read_bytes()
    files.put(EXPIRED, ROOT)
    renewed = renew(own)
    assert not renewed.changed
    assert "expired" in renewed.fault
    assert (served(own), own.ca_file.read_bytes()) == before
    files.put(Holder("Newer", ROOT, ("localhost",)), ROOT)
    assert renew(own).changed


def test_bad_first_certificate_is_a_fault(own: Settings, files: Files) -> None:
    """There is nothing that the broker could serve instead."""
    files.put(EXPIRED, ROOT)
    with pytest.raises(CertificateError, match="expired"):
        renew(own)
    assert not broker_files(own).certificate.exists()


def test_taking_it_back_serves_ours_again(settings: Settings, own: Settings) -> None:
    """Our certificate was never touched, and the foreign root is trusted no more."""
    ours = served(settings), settings.ca_file.read_bytes()
    renew(own)
    renew(settings)
    assert (served(settings), settings.ca_file.read_bytes()) == ours


def test_name_that_clients_are_told_is_warned_of(own: Settings) -> None:
    """A host name that the certificate is not for would keep clients out."""
    elsewhere = own.model_copy(update={"mqtt_host": "broker.example"})
    warning = renew(elsewhere).warning
    assert "broker.example" in warning
    assert "set mqtt_host to one of its names: localhost, 127.0.0.1" in warning


def test_days_left_are_those_of_what_is_served(settings: Settings, own: Settings) -> None:
    """Ours or the user's own; before there is one nobody knows."""
    ours = broker_validity(settings)
    assert ours is not None
    assert not ours.brought
    assert 390 < ours.days_left(now_us()) < 397
    assert broker_validity(own) is None
    renew(own)
    brought = broker_validity(own)
    assert brought is not None
    assert brought.brought
    assert 59 < brought.days_left(now_us()) < 60.01
    assert brought.days_left(now_us() + 61 * DAY_US) < 0
    authority = authority_validity(settings)
    assert authority is not None
    assert 3640 < authority.days_left(now_us()) < 3651


def test_dashboards_certificate_follows_the_authority(settings: Settings) -> None:
    """Made once, it is renewed with the broker's: for its own address too, by who signs now."""
    initialise(settings)
    assert http_validity(settings) is None
    own = settings.model_copy(update={"http_tls": True, "http_host": "192.0.2.7"})
    prepare_http(own)
    certificate = load_certificates(own.http_certificate)[0]
    names = certificate.extensions.get_extension_for_class(SubjectAlternativeName).value
    assert ip_address("192.0.2.7") in names.get_values_for_type(IPAddress)
    trust_next(settings, now_us())
    switch(settings, now_us())
    assert renew(settings).changed
    renewed = load_certificates(own.http_certificate)[0]
    renewed.verify_directly_issued_by(load_certificates(settings.ca_file)[0])
    assert renewed != certificate
    validity = http_validity(settings)
    assert validity is not None
    assert 395 < validity.days_left(now_us()) < 397


def test_renew_says_how_long_it_is_good(own: Settings, files: Files) -> None:
    """In whole days, as doctor says; it takes a changed one, and ends with 1 if that is bad."""
    done = invoke(own, "renew")
    assert done.exit_code == 0
    assert "good for 59 days" in done.stdout
    files.put(EXPIRED, ROOT)
    refused = invoke(own, "renew")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("Error: ")
    assert "goes on with its older certificate" in refused.stderr


def test_init_goes_on_with_the_older_certificate(own: Settings, files: Files) -> None:
    """A bad file does not keep the rest from starting; the log says so."""
    renew(own)
    files.put(EXPIRED, ROOT)
    with capture_logs() as lines:
        done = invoke(own, "init")
    assert done.exit_code == 0
    assert any("goes on with its older certificate" in line["event"] for line in lines)
