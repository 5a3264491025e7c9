"""A certificate of the user's own for the broker: verified before the broker takes it."""

import ssl
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from mosquitto.handshake import handshake_fault
from mosquitto.issuing import moment
from mosquitto.pem import CertificateError, certificate_pem, key_pem


@dataclass(frozen=True, slots=True)
class Brought:
    """A certificate that the broker may show.

    Attributes:
        pem: The certificate, those that lead from it to the anchor, and the key.
        anchor: What clients are to trust.
        names: The names and addresses that it is for.
    """

    pem: bytes
    anchor: x509.Certificate
    names: Sequence[str]


def read_brought(certificate: str, key: str, now_us: int) -> Brought:
    """The certificate and key of those files, with all that can be wrong with them ruled out.

    Raises:
        CertificateError: If one cannot be read, they do not belong together, the certificate is not
            valid now or for no name, or its chain leads to no root.
    """
    if not certificate or not key:
        missing, given = (
            ("tls_key", "tls_certificate") if certificate else ("tls_certificate", "tls_key")
        )
        raise CertificateError(f"{given} is set and {missing} is not; set both, or neither")
    chain, secret = _read_chain(Path(certificate)), _read_key(Path(key))
    if chain[0].public_key() != secret.public_key():
        raise CertificateError(
            f"{key} is not the key of the first certificate in {certificate}; "
            "put the broker's own certificate first, then those that it leads to"
        )
    for one in chain:
        _check_time(one, certificate, moment(now_us))
    names = _names(chain[0], certificate)
    anchor = _anchor(chain, certificate)
    served = certificate_pem(*chain) + key_pem(secret)
    fault = handshake_fault(served, certificate_pem(anchor).decode(), names[0].replace("*", "any"))
    if fault:
        raise CertificateError(
            f"no client would accept {certificate}: {fault}; have it issued anew"
        )
    return Brought(served, anchor, names)


def covers(names: Sequence[str], told: str) -> bool:
    """Whether the name that clients are told is one of the certificate's.

    >>> covers(["*.example.org", "10.0.0.7"], "mqtt.example.org"), covers(["*.org"], "a.b.org")
    (True, False)
    """
    told = told.lower()
    return told in names or f"*.{told.partition('.')[2]}" in names


def _read_chain(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except OSError as error:
        raise CertificateError(
            f"cannot read tls_certificate {path}: {error.strerror}; correct its path or its mode"
        ) from None
    except ValueError:
        raise CertificateError(
            f"{path} holds no certificate in PEM; it begins with -----BEGIN CERTIFICATE-----"
        ) from None


def _read_key(path: Path) -> PrivateKeyTypes:
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise CertificateError(
            f"cannot read tls_key {path}: {error.strerror}; correct its path or its mode"
        ) from None
    if mode & (stat.S_IROTH | stat.S_IWOTH):
        raise CertificateError(f"{path} can be read by everybody; run: chmod o= {path}")
    try:
        return serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise CertificateError(
            f"{path} is encrypted; the broker starts unattended, so give it one without a password"
        ) from None
    except ValueError:
        raise CertificateError(f"{path} holds no private key in PEM") from None


def _check_time(one: x509.Certificate, path: str, now: datetime) -> None:
    subject = one.subject.rfc4514_string()
    if one.not_valid_after_utc <= now:
        ended = f"{one.not_valid_after_utc:%Y-%m-%d}"
        raise CertificateError(f"in {path}, {subject} expired on {ended}; put a newer one there")
    if one.not_valid_before_utc > now:
        begins = f"{one.not_valid_before_utc:%Y-%m-%d}"
        raise CertificateError(
            f"in {path}, {subject} is not valid before {begins}; set the clock right, or wait"
        )


def _names(certificate: x509.Certificate, path: str) -> list[str]:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        found = x509.SubjectAlternativeName([])
    hosts = [name.lower() for name in found.get_values_for_type(x509.DNSName)]
    names = hosts + [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    if not names:
        raise CertificateError(
            f"{path} is for no host name (subjectAltName), so no client would accept it; "
            "have it issued with the names that clients use"
        )
    return names


def _anchor(chain: Sequence[x509.Certificate], path: str) -> x509.Certificate:
    """The root that the chain leads to: its last certificate, or one that the world trusts."""
    for one, issuer in pairwise(chain):
        if not _issued(one, issuer):
            raise CertificateError(
                f"in {path}, {issuer.subject.rfc4514_string()} did not issue "
                f"{one.subject.rfc4514_string()}; put each certificate before its issuer's"
            )
    last = chain[-1]
    if _issued(last, last):
        return last
    root = next((one for one in _known(last.issuer) if _issued(last, one)), None)
    if root is None:
        raise CertificateError(
            f"{path} leads to no root: the issuer {last.issuer.rfc4514_string()} is missing; "
            "add its certificate to the end of that file"
        )
    return root


def _known(name: x509.Name) -> Iterator[x509.Certificate]:
    """The roots of that name; the others are not parsed, for some are not as they should be."""
    world = ssl.create_default_context(cafile=certifi.where())
    for root in world.get_ca_certs(binary_form=True):
        if name.public_bytes() in root:
            yield x509.load_der_x509_certificate(root)


def _issued(one: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        one.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
