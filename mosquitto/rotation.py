"""Replaces our certificate authority in three steps, between which clients learn of the new one.

1. trust: a new authority is made; ca.crt holds both, and the old one still signs.
2. switch: the new one signs, and broker and dashboard show a certificate of it.
3. drop: ca.crt holds the new one alone.

Each step is one file that appears under its name. A step that was cut short is done again.
"""

from enum import StrEnum

from mosquitto.certificates import ensure_authority
from mosquitto.client_certificates import left_behind
from mosquitto.issuing import authority_certificate, moment
from mosquitto.pem import CertificateError, certificate_pem, ensure_key, load_certificates, load_key
from mosquitto.trust import FORMER, NEXT, SIGNING, authority_pair, changing
from telemetry.files import publish_file, sync_folder
from telemetry.settings import Settings


class Stage(StrEnum):
    """How far a rotation is."""

    SETTLED = "settled"
    TRUSTED = "trusted"
    SWITCHED = "switched"


def stage(settings: Settings) -> Stage:
    """How far the rotation is that is under way, if one is."""
    if (settings.secrets_dir / NEXT).exists():
        return Stage.TRUSTED
    return Stage.SWITCHED if (settings.secrets_dir / FORMER).exists() else Stage.SETTLED


def trust_next(settings: Settings, now_us: int) -> None:
    """Clients that fetch ca.crt from now on trust the authority to come, too.

    Raises:
        CertificateError: If the last rotation is not over, or a file is broken.
    """
    with changing(settings):
        _trust_next(settings, now_us)


def _trust_next(settings: Settings, now_us: int) -> None:
    if stage(settings) is Stage.SWITCHED:
        raise CertificateError(
            "the last rotation is not over; run: .venv/bin/python -m mosquitto ca drop"
        )
    ensure_authority(authority_pair(settings), now_us)
    key = ensure_key(settings.secrets_dir / NEXT)
    trusted = load_certificates(settings.ca_file)
    if all(one.public_key() != key.public_key() for one in trusted):
        issued = authority_certificate(key, moment(now_us))
        publish_file(settings.ca_file, certificate_pem(*trusted, issued))


def switch(settings: Settings, now_us: int) -> None:
    """The new authority signs; the old key is kept for its revocation list.

    Raises:
        CertificateError: If there is no new authority that clients could know, or a file is broken.
    """
    with changing(settings):
        _switch(settings, now_us)


def _switch(settings: Settings, now_us: int) -> None:
    if stage(settings) is Stage.SWITCHED:
        return
    if stage(settings) is Stage.SETTLED:
        raise CertificateError(
            "there is no new authority yet; run: .venv/bin/python -m mosquitto ca trust"
        )
    _trust_next(settings, now_us)  # that step may have been cut short
    secrets = settings.secrets_dir
    # Cut short between these two lines, the old key is there twice and still the one that signs.
    publish_file(secrets / FORMER, (secrets / SIGNING).read_bytes(), mode=0o600)
    (secrets / NEXT).replace(secrets / SIGNING)
    sync_folder(secrets)


def drop_former(settings: Settings, now_us: int) -> None:
    """Clients that fetch ca.crt trust the new authority alone.

    Raises:
        CertificateError: If the new authority does not sign yet, a client has a certificate of the
            old one alone, or a file is broken.
    """
    with changing(settings):
        _drop_former(settings, now_us)


def _drop_former(settings: Settings, now_us: int) -> None:
    if stage(settings) is Stage.SETTLED:
        return
    if stage(settings) is Stage.TRUSTED:
        raise CertificateError(
            "the old authority still signs; run: .venv/bin/python -m mosquitto ca switch"
        )
    path = settings.secrets_dir / FORMER
    key = load_key(path).public_key()
    trusted = load_certificates(settings.ca_file)
    kept = [one for one in trusted if one.public_key() != key]
    clients = [
        name for one in trusted if one not in kept for name in left_behind(settings, one, now_us)
    ]
    if clients:
        raise CertificateError(
            f"the old authority signed the only certificate of {', '.join(clients)}; issue new "
            "ones with: .venv/bin/python -m mosquitto client certificate NAME --out DIR"
        )
    if kept != trusted:
        publish_file(settings.ca_file, certificate_pem(*kept))
    path.unlink()
    sync_folder(path.parent)
