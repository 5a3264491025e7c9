"""Our certificate authority and the broker's certificate, on the P-256 curve."""

import ipaddress
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from telemetry.fault import Fault
from telemetry.files import publish_file
from telemetry.window import SECOND_US

_AUTHORITY_LIFE = timedelta(days=3650)
_SERVER_LIFE = timedelta(days=397)  # what browsers and phones accept at most
_BACKDATED = timedelta(days=1)  # a client's clock may be slow

Key = ec.EllipticCurvePrivateKey


class CertificateError(Fault):
    """A key or certificate that cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a key and its certificate are kept."""

    key: Path
    certificate: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """What signs the broker's certificate."""

    key: Key
    certificate: x509.Certificate


def host_names(told: str) -> frozenset[str]:
    """The names and addresses of this machine, with the one that clients are told."""
    host = socket.gethostname().lower()
    addresses = {
        address.address.partition("%")[0]
        for interface in psutil.net_if_addrs().values()
        for address in interface
        if address.family in (socket.AF_INET, socket.AF_INET6)
    }
    named = {"localhost", host, f"{host.partition('.')[0]}.local", told.lower()}
    return frozenset(
        {name for name in named if name and name.isascii()} | addresses | {"127.0.0.1", "::1"}
    )


def ensure_authority(pair: Pair, now_us: int) -> Authority:
    """The certificate authority, made at first; a key that exists is never replaced.

    The key is published before its certificate, so a key alone is what a crash leaves:
    its certificate is issued again, and clients that trust an earlier one still do.

    Raises:
        CertificateError: If a file is broken, or key and certificate do not belong together.
    """
    if pair.certificate.exists() and not pair.key.exists():
        raise CertificateError(
            f"{pair.key} is missing but {pair.certificate} is there; restore the key from a "
            f"backup, or remove {pair.certificate} and give clients the new one that init makes"
        )
    key = _ensure_key(pair.key)
    if not pair.certificate.exists():
        publish_file(pair.certificate, _pem(_authority_certificate(key, _moment(now_us))))
    certificate = _load_certificate(pair.certificate)
    if certificate.public_key() != key.public_key():
        raise CertificateError(
            f"{pair.certificate} does not belong to {pair.key}; restore both from one backup"
        )
    if certificate.not_valid_after_utc <= _moment(now_us):
        raise CertificateError(
            f"{pair.certificate} has expired; set the clock right, or remove it, run init "
            "and give clients the new one"
        )
    return Authority(key, certificate)


def ensure_server(
    pair: Pair, authority: Authority, names: frozenset[str], now_us: int
) -> str | None:
    """The broker has a certificate for `names` with a third of its life left, at least.

    Returns why it was issued now, or None if the one that is there does. Its key stays.

    Raises:
        CertificateError: If the key is broken.
    """
    key = _ensure_key(pair.key)
    reason = _why_issue(pair.certificate, key, authority, names, _moment(now_us))
    if reason is not None:
        issued = _server_certificate(key, authority, names, _moment(now_us))
        publish_file(pair.certificate, _pem(issued))
    return reason


def _why_issue(
    path: Path, key: Key, authority: Authority, names: frozenset[str], now: datetime
) -> str | None:
    if not path.exists():
        return "there was none"
    try:
        certificate = _load_certificate(path)
        certificate.verify_directly_issued_by(authority.certificate)
    except (CertificateError, ValueError, TypeError, InvalidSignature):
        return "the old one was not ours"
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    checks = {
        "the old one belonged to another key": certificate.public_key() != key.public_key(),
        "two thirds of the old one's life are over": now
        >= certificate.not_valid_before_utc + life * 2 / 3,
        "the old one is not valid yet": now < certificate.not_valid_before_utc,
        "this machine has a new name or address": not _covers(certificate, names),
    }
    return next((reason for reason, holds in checks.items() if holds), None)


def _covers(certificate: x509.Certificate, names: frozenset[str]) -> bool:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return set(_alternatives(names)) <= set(extension.value)


def _alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    return [_alternative(name) for name in sorted(names)]


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _ensure_key(path: Path) -> Key:
    if not path.exists():
        publish_file(path, _key_pem(ec.generate_private_key(ec.SECP256R1())), mode=0o600)
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise CertificateError(
            f"cannot read the key {path}: {error}; restore it from a backup"
        ) from error
    if not isinstance(key, Key):
        raise CertificateError(f"{path} is not an elliptic-curve key; restore it from a backup")
    return key


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (ValueError, OSError) as error:
        raise CertificateError(
            f"cannot read the certificate {path}: {error}; restore it from a backup"
        ) from error


def _authority_certificate(key: Key, now: datetime) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Culex"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Culex certificate authority"),
        ]
    )
    builder = _builder(name, name, key, now).not_valid_after(now + _AUTHORITY_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage(authority=True), critical=True)
    return builder.sign(key, hashes.SHA256())


def _server_certificate(
    key: Key, authority: Authority, names: frozenset[str], now: datetime
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Culex broker")])
    issuer = authority.certificate
    ends = min(now - _BACKDATED + _SERVER_LIFE, issuer.not_valid_after_utc)
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(authority=False), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.SubjectAlternativeName(_alternatives(names)), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), False),
    ]
    builder = _builder(subject, issuer.subject, key, now).not_valid_after(ends)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(authority.key, hashes.SHA256())


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _key_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _moment(time_us: int) -> datetime:
    return datetime.fromtimestamp(time_us // SECOND_US, UTC)
