"""Whom clients are to trust: ca.crt holds our authorities and the root of a brought certificate."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509

from mosquitto.certificates import Pair, of_key
from mosquitto.issuing import Authority
from mosquitto.pem import certificate_pem, load_certificates, load_key
from telemetry.files import publish_file
from telemetry.settings import Settings

SIGNING, NEXT, FORMER = "ca.key", "ca-next.key", "ca-old.key"
"""Keys of authorities in `secrets/`: the one that signs, and while they are rotated one more."""


@contextmanager
def changing(settings: Settings) -> Iterator[None]:
    """Nobody else changes keys and certificates meanwhile; who wants to waits."""
    descriptor = os.open(settings.secrets_dir, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def authority_pair(settings: Settings) -> Pair:
    """The authority that signs."""
    return Pair(settings.secrets_dir / SIGNING, settings.ca_file)


def authorities(settings: Settings) -> list[Authority]:
    """Our authorities that clients trust, the one that signs first.

    Raises:
        CertificateError: If a file is broken.
    """
    paths = [settings.secrets_dir / name for name in (SIGNING, NEXT, FORMER)]
    trusted = load_certificates(settings.ca_file)
    found: dict[x509.Certificate, Authority] = {}
    for key in [load_key(path) for path in paths if path.exists()]:
        certificate = of_key(trusted, key)
        if certificate is not None:
            found[certificate] = Authority(key, certificate)
    return list(found.values())


def publish_trust(settings: Settings, *more: x509.Certificate) -> None:
    """The file for clients holds our authorities and `more`, each once, and nothing else."""
    ours = [one.certificate for one in authorities(settings)]
    trusted = list(dict.fromkeys((*ours, *more)))
    if trusted != load_certificates(settings.ca_file):
        publish_file(settings.ca_file, certificate_pem(*trusted))


def foreign_roots(settings: Settings) -> list[x509.Certificate]:
    """What clients trust beside our authorities."""
    ours = [one.certificate for one in authorities(settings)]
    return [one for one in load_certificates(settings.ca_file) if one not in ours]
