"""What our certificate authority signs: itself, servers, clients, and who is revoked.

All keys are on the P-256 curve. The profile is that of RFC 5280.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from mosquitto.pem import Key
from telemetry.window import SECOND_US

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)
"""What browsers and phones accept at most."""

CLIENT_LIFE = timedelta(days=1095)
"""A device is visited rarely, and what is lost before can be revoked."""

_BACKDATED = timedelta(days=1)  # a client's clock may be slow

Extensions = Sequence[tuple[x509.ExtensionType, bool]]


@dataclass(frozen=True, slots=True)
class Authority:
    """What signs the certificates of broker, dashboard and clients."""

    key: Key
    certificate: x509.Certificate


def authority_certificate(key: Key, now: datetime) -> x509.Certificate:
    """A new certificate of an authority, which may sign others and nothing below them.

    Its name ends in a part of the key's: small TLS libraries tell two authorities by name alone.
    """
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest.hex()
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Culex"),
            x509.NameAttribute(
                NameOID.COMMON_NAME, f"Culex certificate authority {identifier[:8]}"
            ),
        ]
    )
    extensions: Extensions = (
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (_usage(authority=True), True),
    )
    builder = _builder(name, name, key, now).not_valid_after(now + AUTHORITY_LIFE)
    return _extended(builder, extensions).sign(key, hashes.SHA256())


def server_certificate(
    key: Key, authority: Authority, subject: str, names: Iterable[str], now: datetime
) -> x509.Certificate:
    """A certificate for a server of those names and addresses."""
    return _end_certificate(
        key,
        authority,
        subject,
        (now, SERVER_LIFE),
        (
            (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
            (x509.SubjectAlternativeName(alternatives(names)), False),
        ),
    )


def client_certificate(
    key: Key, authority: Authority, name: str, now: datetime
) -> x509.Certificate:
    """A certificate for the client of that name."""
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    return _end_certificate(key, authority, name, (now, CLIENT_LIFE), ((usage, False),))


def revocation_list(
    authority: Authority, revoked: Mapping[int, datetime]
) -> x509.CertificateRevocationList:
    """The serial numbers that the authority takes back, with since when.

    It is good as long as the authority: the broker alone reads it, and has no other to wait for.
    """
    began = authority.certificate.not_valid_before_utc
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(max([began, *revoked.values()]))
        .next_update(authority.certificate.not_valid_after_utc)
        .add_extension(_issuer(authority), critical=False)
    )
    for serial, since in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(since)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(authority.key, hashes.SHA256())


def alternatives(names: Iterable[str]) -> list[x509.GeneralName]:
    """Names and addresses, each as what it is."""
    return [_alternative(name) for name in sorted(names)]


def moment(time_us: int) -> datetime:
    """The time as certificates have it: whole seconds."""
    return datetime.fromtimestamp(time_us // SECOND_US, UTC)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _end_certificate(
    key: Key,
    authority: Authority,
    subject: str,
    valid: tuple[datetime, timedelta],
    extensions: Extensions,
) -> x509.Certificate:
    issuer, (now, life) = authority.certificate, valid
    ends = min(now - _BACKDATED + life, issuer.not_valid_after_utc)
    common: Extensions = (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (_usage(authority=False), True),
        (_issuer(authority), False),
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    builder = _builder(name, issuer.subject, key, now).not_valid_after(ends)
    return _extended(builder, (*common, *extensions)).sign(authority.key, hashes.SHA256())


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


def _extended(builder: x509.CertificateBuilder, extensions: Extensions) -> x509.CertificateBuilder:
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder


def _issuer(authority: Authority) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())


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
