"""The certificates on disk that broker and dashboard serve: there, good, and renewed in time.

The broker reads copies in its own folder. What is brought is verified before it takes the place of
the copy, so whatever becomes of the original, the broker has one that works.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from cryptography import x509

from mosquitto.brought import Brought, covers, read_brought
from mosquitto.certificates import Pair, Server, ensure_authority, ensure_server, host_names
from mosquitto.client_certificates import demanded_files, write_demands
from mosquitto.issuing import Authority
from mosquitto.pem import CertificateError, load_certificates
from mosquitto.trust import authorities, authority_pair, changing, foreign_roots, publish_trust
from telemetry.clock import now_us
from telemetry.files import publish_file
from telemetry.settings import Settings
from telemetry.window import DAY_US, SECOND_US

_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared, not bound
_LOG = structlog.stdlib.get_logger("certificates")


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of a look at the certificates.

    Attributes:
        changed: Whether the broker has something new to serve.
        fault: Why it goes on with an older certificate of the user's own, or an empty string.
        warning: What clients may stumble over, or an empty string.
    """

    changed: bool
    fault: str = ""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class Validity:
    """How long a certificate is good.

    Attributes:
        until_us: When it expires.
        brought: Whether it is the user's own, which Culex cannot renew.
    """

    until_us: int
    brought: bool = False

    def days_left(self, now_us: int) -> float:
        """The days until it expires; negative afterwards."""
        return (self.until_us - now_us) / DAY_US


def renew(settings: Settings) -> Renewed:
    """The broker, and the dashboard if it speaks TLS, have certificates that are good.

    Raises:
        CertificateError: If a key of ours is missing or broken, or the user's own certificate is
            not good and there is none from before.
    """
    with changing(settings):
        return _renew(settings)


def _renew(settings: Settings) -> Renewed:
    before = served(settings)
    now = now_us()
    authority = ensure_authority(authority_pair(settings), now)
    fault, warning = "", ""
    if settings.brings_certificate:
        fault, warning = _take_brought(settings, now)
    else:
        _ensure_own(settings, authority, now)
        publish_trust(settings)
    write_demands(settings)
    if settings.http_tls or settings.http_certificate.exists():
        _ensure_http(settings, authority, now)
    return Renewed(served(settings) != before, fault, warning)


def prepare_http(settings: Settings) -> None:
    """The dashboard has a certificate of our authority, for the names of the broker and its own.

    Raises:
        CertificateError: If a key is missing or broken.
    """
    now = now_us()
    with changing(settings):
        _ensure_http(settings, ensure_authority(authority_pair(settings), now), now)


def broker_files(settings: Settings) -> Pair:
    """Where the broker reads its key and certificate; a brought pair is one file, taken as one."""
    folder = settings.broker_dir
    if settings.brings_certificate:
        return Pair(folder / "brought.pem", folder / "brought.pem")
    return Pair(folder / "server.key", folder / "server.crt")


def served_files(settings: Settings) -> Sequence[Path]:
    """All about certificates that the broker reads when it starts."""
    files = broker_files(settings)
    return files.key, files.certificate, *demanded_files(settings)


def served(settings: Settings) -> bytes:
    """What is in those files."""
    return b"\n".join(_content(path) for path in served_files(settings))


def broker_validity(settings: Settings) -> Validity | None:
    """How long the broker's certificate is good; None if it cannot be read."""
    return _validity(broker_files(settings).certificate, brought=settings.brings_certificate)


def http_validity(settings: Settings) -> Validity | None:
    """How long the dashboard's certificate is good; None if it has none, or it cannot be read."""
    return _validity(settings.http_certificate)


def authority_validity(settings: Settings) -> Validity | None:
    """How long our authority is good; None if it cannot be read."""
    try:
        return _until(authorities(settings)[0].certificate)
    except (CertificateError, OSError, IndexError):
        return None


def _ensure_own(settings: Settings, authority: Authority, now: int) -> None:
    server = Server("Culex broker", host_names(settings.mqtt_host))
    reason = ensure_server(broker_files(settings), authority, server, now)
    if reason is not None:
        _LOG.info("issued a certificate for the broker", reason=reason)


def _ensure_http(settings: Settings, authority: Authority, now: int) -> None:
    pair = Pair(settings.http_key, settings.http_certificate)
    own = {settings.http_host} - _EVERYWHERE
    server = Server("Culex dashboard", host_names(settings.mqtt_host) | own)
    reason = ensure_server(pair, authority, server, now)
    if reason is not None:
        _LOG.info("issued a certificate for the dashboard", reason=reason)


def _take_brought(settings: Settings, now: int) -> tuple[str, str]:
    """What is wrong with the user's own certificate, and what clients may stumble over."""
    path = broker_files(settings).certificate
    try:
        brought = read_brought(settings.tls_certificate, settings.tls_key, now)
    except CertificateError as error:
        if not path.exists():
            raise
        publish_trust(settings, *foreign_roots(settings))
        return str(error), ""
    # Clients may fetch what they are to trust before the broker shows it, not after.
    publish_trust(settings, brought.anchor)
    if _content(path) != brought.pem:
        publish_file(path, brought.pem, mode=0o600)
        _LOG.info("took the broker's new certificate", source=settings.tls_certificate)
    return "", _unnamed(settings, brought)


def _unnamed(settings: Settings, brought: Brought) -> str:
    if covers(brought.names, settings.mqtt_host):
        return ""
    return (
        f"clients are told to connect to {settings.mqtt_host}, which {settings.tls_certificate} is "
        f"not for; set mqtt_host to one of its names: {', '.join(brought.names)}"
    )


def _validity(path: Path, *, brought: bool = False) -> Validity | None:
    try:
        return _until(load_certificates(path)[0], brought=brought)
    except (CertificateError, OSError):
        return None


def _until(certificate: x509.Certificate, *, brought: bool = False) -> Validity:
    return Validity(int(certificate.not_valid_after_utc.timestamp()) * SECOND_US, brought)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
