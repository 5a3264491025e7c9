"""Certificates as somebody else's authority issues them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mosquitto.issuing import alternatives
from mosquitto.pem import Key, certificate_pem, key_pem


@dataclass
class Holder:
    """A key with the certificate that somebody issued for it.

    Attributes:
        name: Its subject.
        issuer: Who signed it; itself if None.
        hosts: What it is for; an authority has none.
        days: How long it is good from now on, and negative if it is expired.
    """

    name: str
    issuer: "Holder | None" = None
    hosts: tuple[str, ...] = ()
    days: int = 90
    key: Key = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: x509.Certificate = field(init=False)

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        signing = self.issuer or self
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(self.name))
            .issuer_name(_name(signing.name))
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1000 if self.days < 0 else 1))
            .not_valid_after(now + timedelta(days=self.days))
            .add_extension(
                x509.BasicConstraints(ca=not self.hosts, path_length=None), critical=True
            )
        )
        if self.hosts:
            names = x509.SubjectAlternativeName(alternatives(self.hosts))
            builder = builder.add_extension(names, critical=False)
        self.certificate = builder.sign(signing.key, hashes.SHA256())


@dataclass(frozen=True)
class Files:
    """Where a certificate and its key lie."""

    certificate: Path
    key: Path

    def put(self, holder: Holder, *issuers: Holder) -> None:
        """The files hold the certificate, those of its issuers, and the key."""
        chain = (holder, *issuers)
        self.certificate.write_bytes(certificate_pem(*(one.certificate for one in chain)))
        self.key.touch(mode=0o600)
        self.key.write_bytes(key_pem(holder.key))


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
