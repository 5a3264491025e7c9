"""Certificates of clients: issued, taken back, and what the broker reads to ask for them.

Kept is who was given which, in `secrets/client-certificates.json`; keys are the clients' alone.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from cryptography import x509

from mosquitto.access import Access, AccessError
from mosquitto.issuing import Authority, client_certificate, moment, revocation_list
from mosquitto.names import check_name
from mosquitto.pem import CertificateError, certificate_pem, key_pem, list_pem, new_key
from mosquitto.trust import authorities
from telemetry.files import publish_file
from telemetry.login import read_secret
from telemetry.settings import Settings
from telemetry.window import SECOND_US


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate that a client was given.

    Attributes:
        client: Its name, which is the certificate's common name.
        serial: The serial number, in hexadecimal.
        authority: Which of our authorities signed it: its serial number, in hexadecimal.
        issued_us: When.
        until_us: When it expires.
        revoked_us: When it was taken back, or None.
    """

    client: str
    serial: str
    authority: str
    issued_us: int
    until_us: int
    revoked_us: int | None = None

    def good(self, now_us: int) -> bool:
        """Whether the broker would take it."""
        return self.revoked_us is None and now_us < self.until_us


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a client needs beside its password, as PEM; the key is kept nowhere else."""

    key: bytes
    certificate: bytes


def issue(settings: Settings, client: str, now_us: int) -> Delivery:
    """A certificate for the client, beside those that it has.

    Raises:
        NameRefused, AccessError: If there is no such client.
        CertificateError: If the authority cannot sign.
    """
    check_name(client)
    if all(client != one.name for one in Access(settings.access_path).clients()):
        raise AccessError(
            f"there is no client {client}; "
            f"add it with: .venv/bin/python -m mosquitto client add {client}"
        )
    authority, *_ = authorities(settings)
    key = new_key()
    certificate = client_certificate(key, authority, client, moment(now_us))
    until_us = int(certificate.not_valid_after_utc.timestamp()) * SECOND_US
    entry = Issued(
        client, f"{certificate.serial_number:x}", _identifier(authority), now_us, until_us
    )
    _keep(settings, [*issued(settings), entry])
    return Delivery(key_pem(key), certificate_pem(certificate))


def revoke(settings: Settings, client: str, now_us: int) -> int:
    """All certificates of the client are taken back; returns how many were good until now.

    The broker learns of it by what `write_demands` writes.
    """
    kept = issued(settings)
    entries = [
        replace(one, revoked_us=now_us) if one.client == client and one.good(now_us) else one
        for one in kept
    ]
    _keep(settings, entries)
    return sum(one != then for one, then in zip(entries, kept, strict=True))


def issued(settings: Settings) -> list[Issued]:
    """Every certificate that was given to a client, the oldest first.

    Raises:
        CertificateError: If the list is broken.
        SecretError: If it is readable by others.
    """
    path = _path(settings)
    if not path.exists():
        return []
    try:
        return [Issued(**entry) for entry in json.loads(read_secret(path))]
    except (ValueError, TypeError):
        raise CertificateError(f"{path} is broken; restore it from a backup") from None


def left_behind(settings: Settings, authority: x509.Certificate, now_us: int) -> list[str]:
    """The clients that nothing but a certificate of this authority lets in.

    A client that was removed is none: nothing lets it in, whatever certificates it has.
    """
    known = {client.name for client in Access(settings.access_path).clients()}
    good = [one for one in issued(settings) if one.good(now_us) and one.client in known]
    old = {one.client for one in good if one.authority == _hexadecimal(authority)}
    return sorted(old - {one.client for one in good if one.authority != _hexadecimal(authority)})


def demanded_files(settings: Settings) -> Sequence[Path]:
    """What the broker reads to ask clients for a certificate; nothing if it does not."""
    if not settings.asks_clients:
        return ()
    return settings.broker_dir / "clients-ca.crt", settings.broker_dir / "clients.crl"


def write_demands(settings: Settings) -> None:
    """The broker finds our authorities, none that was brought, and the lists of what is revoked."""
    if not settings.asks_clients:
        return
    ours, kept = authorities(settings), issued(settings)
    trusted, revoked = demanded_files(settings)
    publish_file(trusted, certificate_pem(*(one.certificate for one in ours)))
    lists = [_revoked_by(one, kept) for one in ours]
    if _facts(lists) != _facts_on_disk(revoked):
        publish_file(revoked, list_pem(*lists))


def _revoked_by(authority: Authority, kept: Iterable[Issued]) -> x509.CertificateRevocationList:
    revoked = {
        int(one.serial, 16): one.revoked_us
        for one in kept
        if one.revoked_us is not None and one.authority == _identifier(authority)
    }
    return revocation_list(
        authority, {serial: moment(time_us) for serial, time_us in revoked.items()}
    )


def _facts(lists: Iterable[x509.CertificateRevocationList]) -> list[bytes]:
    """What is signed: the signature over it is another one each time."""
    return [one.tbs_certlist_bytes for one in lists]


def _facts_on_disk(path: Path) -> list[bytes]:
    ends = b"-----END X509 CRL-----\n"
    parts = path.read_bytes().split(ends)[:-1] if path.exists() else []
    try:
        return _facts(x509.load_pem_x509_crl(part + ends) for part in parts)
    except ValueError:
        return []


def _identifier(authority: Authority) -> str:
    return _hexadecimal(authority.certificate)


def _hexadecimal(certificate: x509.Certificate) -> str:
    return f"{certificate.serial_number:x}"


def _keep(settings: Settings, entries: Sequence[Issued]) -> None:
    content = json.dumps([asdict(one) for one in entries], indent=1).encode()
    publish_file(_path(settings), content, mode=0o600)


def _path(settings: Settings) -> Path:
    return settings.secrets_dir / "client-certificates.json"
