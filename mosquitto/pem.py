"""Keys and certificates as PEM files: read with a sentence for what is wrong, and written."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from telemetry.fault import Fault
from telemetry.files import publish_file

Key = ec.EllipticCurvePrivateKey


class CertificateError(Fault):
    """A key or certificate that cannot be used; the message says what to do."""


def ensure_key(path: Path) -> Key:
    """The P-256 key, made at first; one that exists is never replaced.

    Raises:
        CertificateError: If the file is broken, or holds another kind of key.
    """
    if not path.exists():
        publish_file(path, key_pem(new_key()), mode=0o600)
    return load_key(path)


def new_key() -> Key:
    """A new key on the P-256 curve."""
    return ec.generate_private_key(ec.SECP256R1())


def load_key(path: Path) -> Key:
    """One of our keys.

    Raises:
        CertificateError: If the file is missing, broken, or holds another kind of key.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise CertificateError(
            f"cannot read the key {path}: {error}; restore it from a backup"
        ) from error
    if not isinstance(key, Key):
        raise CertificateError(f"{path} is not an elliptic-curve key; restore it from a backup")
    return key


def load_certificates(path: Path) -> list[x509.Certificate]:
    """The certificates of one of our files, in its order.

    Raises:
        CertificateError: If the file is missing or broken, or holds none.
    """
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (ValueError, OSError) as error:
        raise CertificateError(
            f"cannot read the certificate {path}: {error}; restore it from a backup"
        ) from error


def list_pem(*lists: x509.CertificateRevocationList) -> bytes:
    """The revocation lists, one after the other."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in lists)


def key_pem(key: PrivateKeyTypes) -> bytes:
    """The key, without a password: the file's mode protects it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def certificate_pem(*certificates: x509.Certificate) -> bytes:
    """The certificates, one after the other."""
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in certificates)
