"""The certificate authority and the broker's certificate."""

import ipaddress
import socket
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from mosquitto.certificates import Pair, Server, ensure_authority, ensure_server, host_names
from mosquitto.issuing import Authority
from mosquitto.pem import CertificateError

DAY_US = 86_400_000_000
NOW_US = 1_800_000_000_000_000
NAMES = frozenset({"localhost", "127.0.0.1", "::1", "box.local"})
BROKER = Server("Culex broker", NAMES)


@pytest.fixture
def ca(tmp_path: Path) -> Pair:
    """Where the authority is kept."""
    return Pair(tmp_path / "ca.key", tmp_path / "ca.crt")


@pytest.fixture
def server(tmp_path: Path) -> Pair:
    """Where the broker's key and certificate are kept."""
    return Pair(tmp_path / "server.key", tmp_path / "server.crt")


@pytest.fixture
def authority(ca: Pair) -> Authority:
    """An authority made at `NOW_US`."""
    return ensure_authority(ca, NOW_US)


def load(pair: Pair) -> x509.Certificate:
    """The certificate on disk."""
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def test_authority_signs_servers_and_nothing_below(authority: Authority, ca: Pair) -> None:
    """The authority is P-256, lives ten years, and no certificate it signs may sign others."""
    certificate = load(ca)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert (constraints.value.ca, constraints.value.path_length) == (True, 0)
    assert isinstance(authority.key.curve, ec.SECP256R1)
    assert 3650 <= (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days <= 3652


def test_keys_are_readable_by_their_owner_alone(
    authority: Authority, ca: Pair, server: Pair
) -> None:
    """Keys have mode 0600, certificates may be read by all."""
    ensure_server(server, authority, BROKER, NOW_US)
    modes = [path.stat().st_mode & 0o777 for path in (ca.key, server.key, ca.certificate)]
    assert modes == [0o600, 0o600, 0o644]


def test_server_certificate_names_every_address(authority: Authority, server: Pair) -> None:
    """Names and addresses stand in the certificate as what they are, for at most 397 days."""
    assert ensure_server(server, authority, BROKER, NOW_US) == "there was none"
    certificate = load(server)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {"localhost", "box.local"}
    assert set(names.get_values_for_type(x509.IPAddress)) == {
        ipaddress.ip_address("127.0.0.1"),
        ipaddress.ip_address("::1"),
    }
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days <= 397
    certificate.verify_directly_issued_by(authority.certificate)


def test_second_time_changes_nothing(authority: Authority, ca: Pair, server: Pair) -> None:
    """What is good stays, byte for byte."""
    ensure_server(server, authority, BROKER, NOW_US)
    paths = (ca.key, ca.certificate, server.key, server.certificate)
    before = [path.read_bytes() for path in paths]
    again = ensure_authority(ca, NOW_US + DAY_US)
    assert ensure_server(server, again, BROKER, NOW_US + DAY_US) is None
    assert [path.read_bytes() for path in paths] == before


@pytest.mark.parametrize(
    ("later_days", "names", "reason"),
    [
        (263, NAMES, None),
        (264, NAMES, "two thirds of the old one's life are over"),
        (500, NAMES, "two thirds of the old one's life are over"),
        (-2, NAMES, "the old one is not valid yet"),
        (1, NAMES | {"10.0.0.7"}, "this machine has a new name or address"),
        (1, NAMES - {"box.local"}, None),
    ],
)
def test_certificate_is_issued_again_when_due(
    authority: Authority, server: Pair, later_days: int, names: frozenset[str], reason: str | None
) -> None:
    """At two thirds of its life, expired, or for a new address it is issued again, for its key."""
    ensure_server(server, authority, BROKER, NOW_US)
    key, serial = server.key.read_bytes(), load(server).serial_number
    assert (
        ensure_server(
            server, authority, Server("Culex broker", names), NOW_US + later_days * DAY_US
        )
        == reason
    )
    assert (load(server).serial_number == serial) is (reason is None)
    assert server.key.read_bytes() == key


def test_foreign_certificate_is_replaced(
    authority: Authority, server: Pair, tmp_path: Path
) -> None:
    """A certificate of another authority, or none at all, is not served."""
    other = ensure_authority(Pair(tmp_path / "other.key", tmp_path / "other.crt"), NOW_US)
    ensure_server(server, other, BROKER, NOW_US)
    assert ensure_server(server, authority, BROKER, NOW_US) == "the old one was not ours"
    server.certificate.write_text("junk")
    assert ensure_server(server, authority, BROKER, NOW_US) == "the old one was not ours"


def test_certificate_of_another_key_is_replaced(authority: Authority, server: Pair) -> None:
    """A server key that was replaced gets a certificate of its own."""
    ensure_server(server, authority, BROKER, NOW_US)
    server.key.unlink()
    reason = ensure_server(server, authority, BROKER, NOW_US)
    assert reason == "the old one belonged to another key"


def test_key_without_certificate_is_completed(authority: Authority, ca: Pair, server: Pair) -> None:
    """A crash between key and certificate of the authority costs nobody's trust."""
    ensure_server(server, authority, BROKER, NOW_US)
    key = ca.key.read_bytes()
    ca.certificate.unlink()
    again = ensure_authority(ca, NOW_US)
    assert ca.key.read_bytes() == key
    assert ensure_server(server, again, BROKER, NOW_US) is None


def test_certificate_without_key_is_a_sentence(authority: Authority, ca: Pair) -> None:
    """A lost key of the authority is never replaced silently."""
    assert authority.certificate == load(ca)
    ca.key.unlink()
    with pytest.raises(CertificateError, match=r"ca\.key is missing.*restore"):
        ensure_authority(ca, NOW_US)
    assert not ca.key.exists()


def test_mixed_halves_are_a_sentence(authority: Authority, ca: Pair, tmp_path: Path) -> None:
    """Key and certificate of two authorities are not used together."""
    other = Pair(tmp_path / "other.key", tmp_path / "other.crt")
    ensure_authority(other, NOW_US)
    assert authority.certificate == load(ca)
    with pytest.raises(CertificateError, match="does not belong"):
        ensure_authority(Pair(ca.key, other.certificate), NOW_US)


@pytest.mark.parametrize("half", ["key", "certificate"])
@pytest.mark.parametrize("content", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_broken_half_is_a_sentence(
    authority: Authority, ca: Pair, half: str, content: bytes
) -> None:
    """A broken file is named and left as it is."""
    assert authority.certificate == load(ca)
    path: Path = getattr(ca, half)
    path.write_bytes(content)
    with pytest.raises(CertificateError, match=f"{path.name}.*restore"):
        ensure_authority(ca, NOW_US)
    assert path.read_bytes() == content


def test_expired_authority_is_a_sentence(authority: Authority, ca: Pair) -> None:
    """An authority past its life says so, for a wrong clock looks the same."""
    assert authority.certificate == load(ca)
    with pytest.raises(CertificateError, match="expired"):
        ensure_authority(ca, NOW_US + 3651 * DAY_US)


def test_host_names_cover_this_machine() -> None:
    """The names include localhost, the host, its addresses, and what clients are told."""
    names = host_names("Broker.Example")
    assert {"localhost", "127.0.0.1", "::1", "broker.example"} <= names
    assert socket.gethostname().lower() in names
    assert not any("%" in name or not name for name in names)
