"""A certificate of the user's own: each thing that can be wrong with it is one sentence."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from mosquitto.brought import Brought, covers, read_brought
from mosquitto.pem import CertificateError
from telemetry.clock import now_us
from tests.pki import Files, Holder

ROOT = Holder("Root")
MIDDLE = Holder("Middle", ROOT)
SERVER = Holder("Broker", MIDDLE, ("broker.example", "10.0.0.7"))
OTHER = Holder("Other")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """A good certificate with its chain up to the root, and its key."""
    files = Files(tmp_path / "fullchain.pem", tmp_path / "privkey.pem")
    files.put(SERVER, MIDDLE, ROOT)
    return files


def read(files: Files) -> Brought:
    """What becomes of them now."""
    return read_brought(str(files.certificate), str(files.key), now_us())


def test_good_chain_is_taken_whole(files: Files) -> None:
    """Chain and key are in one piece, the root is what clients are to trust."""
    brought = read(files)
    assert brought.anchor == ROOT.certificate
    assert brought.names == ["broker.example", "10.0.0.7"]
    assert brought.pem == files.certificate.read_bytes() + files.key.read_bytes()


def test_chain_to_a_root_that_the_world_trusts_needs_no_root(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As public authorities deliver it: the root is not in the file, but known."""
    world = tmp_path / "world.pem"
    Files(world, tmp_path / "unused").put(OTHER, ROOT)
    monkeypatch.setattr("mosquitto.brought.certifi.where", lambda: str(world))
    files.put(SERVER, MIDDLE)
    assert read(files).anchor == ROOT.certificate


def test_self_signed_certificate_is_its_own_root(files: Files) -> None:
    """One made by `openssl req -x509` is trusted itself."""
    alone = Holder("Alone", hosts=("*.example.org",))
    files.put(alone)
    assert read(files).anchor == alone.certificate


Spoil = Callable[[Files], object]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f: f.certificate.unlink(), r"cannot read tls_certificate .*No such file"),
        (lambda f: f.key.unlink(), r"cannot read tls_key .*No such file"),
        (lambda f: f.certificate.write_text("junk"), "holds no certificate in PEM"),
        (lambda f: f.key.write_text("junk"), "holds no private key in PEM"),
        (lambda f: f.key.chmod(0o644), "can be read by everybody; run: chmod o="),
        (lambda f: f.key.write_bytes(encrypted()), "is encrypted"),
        (lambda f: f.put(MIDDLE, SERVER), "is for no host name"),
        (lambda f: Files(f.certificate, f.key.with_name("x")).put(OTHER), "is not the key of"),
        (lambda f: f.put(Holder("Old", ROOT, ("a.example",), -3), ROOT), "CN=Old expired on 20"),
        (lambda f: f.put(SERVER, MIDDLE, Holder("Gone", days=-3)), "CN=Gone expired on 20"),
        (lambda f: f.put(SERVER, ROOT, MIDDLE), "CN=Root did not issue CN=Broker"),
        (lambda f: f.put(SERVER, MIDDLE), "leads to no root: the issuer CN=Root is missing"),
        (lambda f: f.put(SERVER), "leads to no root: the issuer CN=Middle is missing"),
        (
            lambda f: f.put(Holder("Leaf", SERVER, ("a.example",)), SERVER, MIDDLE, ROOT),
            "no client would accept .*invalid CA certificate",
        ),
    ],
)
def test_fault_is_a_sentence(files: Files, spoil: Spoil, sentence: str) -> None:
    """What is wrong, in which file, and what to do."""
    spoil(files)
    with pytest.raises(CertificateError, match=sentence):
        read(files)


def encrypted() -> bytes:
    """A key under a password."""
    return SERVER.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )


def test_certificate_from_tomorrow_is_a_sentence(files: Files) -> None:
    """A clock that is behind looks the same, so both are named."""
    with pytest.raises(CertificateError, match=r"is not valid before 20.*clock"):
        read_brought(str(files.certificate), str(files.key), now_us() - 5 * 86_400_000_000)


@pytest.mark.parametrize(
    ("given", "missing"), [("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")]
)
def test_half_a_pair_is_a_sentence(given: str, missing: str) -> None:
    """One setting without the other is named."""
    files = {"tls_certificate": "", "tls_key": ""} | {given: "a.pem"}
    with pytest.raises(CertificateError, match=f"{given} is set and {missing} is not"):
        read_brought(*files.values(), now_us())


@pytest.mark.parametrize(
    ("told", "held"),
    [
        ("broker.example", True),
        ("Broker.Example", True),
        ("10.0.0.7", True),
        ("mqtt.farm.example", True),
        ("a.mqtt.farm.example", False),
        ("farm.example", False),
        ("127.0.0.1", False),
    ],
)
def test_name_is_covered_as_clients_see_it(told: str, held: bool) -> None:
    """A wildcard stands for one label."""
    assert covers(["broker.example", "10.0.0.7", "*.farm.example"], told) is held
