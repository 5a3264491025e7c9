"""Certificates of clients: given, listed, taken back; what the broker reads of them."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mosquitto.__main__ import main
from mosquitto.client_certificates import demanded_files, issue, issued, revoke
from mosquitto.pem import CertificateError, load_certificates
from mosquitto.provision import add_client, initialise, remove_client
from mosquitto.renewal import renew, served
from mosquitto.rotation import drop_former, switch, trust_next
from telemetry.clock import now_us
from telemetry.settings import Settings
from tests.pki import Files, Holder
from tests.support import environment, make_settings

DAY_US = 86_400_000_000


@pytest.fixture
def asking(tmp_path: Path) -> Settings:
    """Settings of a broker that asks for certificates, with one client."""
    settings = make_settings(tmp_path, client_certificates="required")
    initialise(settings)
    add_client(settings, "pump")
    return settings


def invoke(settings: Settings, *arguments: str) -> Result:
    """Runs the command with these settings."""
    return CliRunner().invoke(main, arguments, env=environment(settings))


def revoked(settings: Settings) -> list[set[int]]:
    """The serial numbers in each of the broker's revocation lists."""
    ends = "-----END X509 CRL-----\n"
    parts = demanded_files(settings)[1].read_text().split(ends)[:-1]
    lists = [x509.load_pem_x509_crl((part + ends).encode()) for part in parts]
    return [{entry.serial_number for entry in one} for one in lists]


def test_certificate_names_the_client_and_is_for_clients(asking: Settings) -> None:
    """Its common name is the client's, it may not serve, and our authority signed it."""
    delivery = issue(asking, "pump", now_us())
    certificate = x509.load_pem_x509_certificate(delivery.certificate)
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert (name.value, list(usage)) == ("pump", [ExtendedKeyUsageOID.CLIENT_AUTH])
    certificate.verify_directly_issued_by(load_certificates(asking.ca_file)[0])
    assert 1090 < (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days < 1096


def test_key_is_delivered_and_not_kept(asking: Settings, tmp_path: Path) -> None:
    """The folder gets both files, the key for its owner alone; nothing of it stays with Culex."""
    out = tmp_path / "for pump"
    done = invoke(asking, "client", "certificate", "pump", "--out", str(out))
    assert (done.exit_code, done.stderr) == (0, "")
    assert (out / "pump.key").stat().st_mode & 0o777 == 0o600
    key = (out / "pump.key").read_text()
    kept = [path for path in asking.data_dir.rglob("*") if path.is_file()]
    assert not any(key in path.read_text(errors="ignore") for path in kept)
    again = invoke(asking, "client", "certificate", "pump", "--out", str(out))
    assert again.exit_code == 1
    assert "is there already" in again.stderr
    assert (out / "pump.key").read_text() == key
    assert "until 20" in invoke(asking, "client", "certificate", "pump").stdout


def test_unknown_client_gets_none(asking: Settings, tmp_path: Path) -> None:
    """One sentence, no file, no entry."""
    done = invoke(asking, "client", "certificate", "ghost", "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "client add ghost" in done.stderr
    assert not list((tmp_path / "out").iterdir())
    assert issued(asking) == []


def test_certificate_that_cannot_be_written_is_not_issued(asking: Settings, tmp_path: Path) -> None:
    """Nobody would have its key."""
    (tmp_path / "pump.crt").write_text("another's")
    done = invoke(asking, "client", "certificate", "pump", "--out", str(tmp_path))
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"{tmp_path / 'pump.crt'} is there already" in done.stderr
    assert not (tmp_path / "pump.key").exists()
    assert (tmp_path / "pump.crt").read_text() == "another's"
    assert issued(asking) == []


def test_revoking_takes_all_of_one_client_back(asking: Settings) -> None:
    """Each certificate of the client is on the list, and no other; a second look adds nothing."""
    add_client(asking, "tank")
    given = [
        x509.load_pem_x509_certificate(issue(asking, name, now_us()).certificate).serial_number
        for name in ("pump", "pump", "tank")
    ]
    assert revoked(asking) == [set()]
    done = invoke(asking, "client", "certificate", "pump", "--revoke")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("Taken back: 2.")
    assert revoked(asking) == [set(given[:2])]
    assert revoke(asking, "pump", now_us()) == 0
    assert not renew(asking).changed
    assert invoke(asking, "client", "certificate", "pump").stdout.count("revoked") == 2


def test_brought_root_is_trusted_by_clients_and_never_for_them(
    asking: Settings, tmp_path: Path
) -> None:
    """Whoever has a certificate of a public authority would be let in otherwise."""
    files = Files(tmp_path / "own.crt", tmp_path / "own.key")
    root = Holder("Root")
    files.put(Holder("Broker", root, ("127.0.0.1",)), root)
    names = {"tls_certificate": str(files.certificate), "tls_key": str(files.key)}
    own = asking.model_copy(update=names)
    renew(own)
    assert root.certificate in load_certificates(own.ca_file)
    assert root.certificate not in load_certificates(demanded_files(own)[0])


def test_rotation_leaves_no_client_behind(asking: Settings) -> None:
    """Certificates of the old authority work until it is dropped, and can be revoked until then."""
    old = x509.load_pem_x509_certificate(issue(asking, "pump", now_us()).certificate)
    trust_next(asking, now_us())
    switch(asking, now_us())
    renew(asking)
    assert len(load_certificates(demanded_files(asking)[0])) == 2
    with pytest.raises(CertificateError, match=r"only certificate of pump; issue new ones"):
        drop_former(asking, now_us())
    revoke(asking, "pump", now_us())
    renew(asking)
    assert revoked(asking) == [set(), {old.serial_number}]
    issue(asking, "pump", now_us())
    drop_former(asking, now_us())
    renew(asking)
    assert revoked(asking) == [set()]


def test_client_that_was_removed_is_not_left_behind(asking: Settings) -> None:
    """Nobody could issue it another certificate, and nothing lets it in."""
    issue(asking, "pump", now_us())
    remove_client(asking, "pump")
    trust_next(asking, now_us())
    switch(asking, now_us())
    drop_former(asking, now_us())
    assert len(load_certificates(asking.ca_file)) == 1


def test_nothing_is_asked_by_default(settings: Settings) -> None:
    """The broker reads no file of it, and certificates can be issued in advance."""
    initialise(settings)
    add_client(settings, "pump")
    before = served(settings)
    issue(settings, "pump", now_us())
    renew(settings)
    assert served(settings) == before
    assert demanded_files(settings) == ()


def test_broken_list_is_a_sentence(asking: Settings) -> None:
    """Revocations are not forgotten silently."""
    issue(asking, "pump", now_us())
    (asking.secrets_dir / "client-certificates.json").write_text("[{}]")
    with pytest.raises(CertificateError, match=r"client-certificates\.json is broken; restore"):
        renew(asking)
