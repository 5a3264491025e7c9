"""Our certificate authority and the certificates of our servers, on the P-256 curve."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import psutil
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from mosquitto.issuing import (
    Authority,
    alternatives,
    authority_certificate,
    moment,
    server_certificate,
)
from mosquitto.pem import CertificateError, Key, certificate_pem, ensure_key, load_certificates
from telemetry.files import publish_file


@dataclass(frozen=True, slots=True)
class Pair:
    """Where a key and its certificate are kept."""

    key: Path
    certificate: Path


@dataclass(frozen=True, slots=True)
class Server:
    """A server that shows a certificate of ours.

    Attributes:
        subject: What it is, for people who look at the certificate.
        names: The names and addresses that it is reached by.
    """

    subject: str
    names: frozenset[str]


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

    Its certificate is the one that belongs to the key: the file may hold others that clients are
    to trust. The key is published before its certificate, so a key alone is what a crash leaves:
    its certificate is issued again, and clients that trust an earlier one still do.

    Raises:
        CertificateError: If a file is broken, or key and certificate do not belong together.
    """
    if pair.certificate.exists() and not pair.key.exists():
        raise CertificateError(
            f"{pair.key} is missing but {pair.certificate} is there; restore the key from a "
            f"backup, or remove {pair.certificate} and give clients the new one that init makes"
        )
    key = ensure_key(pair.key)
    if not pair.certificate.exists():
        issued = authority_certificate(key, moment(now_us))
        publish_file(pair.certificate, certificate_pem(issued))
    certificate = of_key(load_certificates(pair.certificate), key)
    if certificate is None:
        raise CertificateError(
            f"{pair.certificate} does not belong to {pair.key}; restore both from one backup"
        )
    if certificate.not_valid_after_utc <= moment(now_us):
        raise CertificateError(
            f"{pair.certificate} has expired; set the clock right, or remove it, run init "
            "and give clients the new one"
        )
    return Authority(key, certificate)


def of_key(certificates: Iterable[x509.Certificate], key: Key) -> x509.Certificate | None:
    """The certificate that belongs to the key."""
    return next((one for one in certificates if one.public_key() == key.public_key()), None)


def ensure_server(pair: Pair, authority: Authority, server: Server, now_us: int) -> str | None:
    """The server has a certificate for its names with a third of its life left, at least.

    Returns why it was issued now, or None if the one that is there does. Its key stays.

    Raises:
        CertificateError: If the key is broken.
    """
    key = ensure_key(pair.key)
    reason = _why_issue(pair.certificate, key, authority, server.names, moment(now_us))
    if reason is not None:
        issued = server_certificate(key, authority, server.subject, server.names, moment(now_us))
        publish_file(pair.certificate, certificate_pem(issued))
    return reason


def _why_issue(
    path: Path, key: Key, authority: Authority, names: frozenset[str], now: datetime
) -> str | None:
    if not path.exists():
        return "there was none"
    try:
        certificate = load_certificates(path)[0]
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
    return set(alternatives(names)) <= set(extension.value)
