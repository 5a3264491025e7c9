"""The settings about certificates: of the broker, of clients, of the dashboard."""

from enum import StrEnum

from pydantic import BaseModel


class ClientCertificates(StrEnum):
    """Whether clients show a certificate beside their password."""

    OFF = "off"
    REQUIRED = "required"


class TlsSettings(BaseModel):
    """A part of `telemetry.settings.Settings`."""

    tls_certificate: str = ""
    tls_key: str = ""
    client_certificates: ClientCertificates = ClientCertificates.OFF
    http_tls: bool = False

    @property
    def brings_certificate(self) -> bool:
        """Whether the broker shows a certificate of the user's own."""
        return bool(self.tls_certificate or self.tls_key)

    @property
    def asks_clients(self) -> bool:
        """Whether clients show a certificate; then there are no WebSockets.

        Mosquitto 2.0 reads no list of revoked certificates for those.
        """
        return self.client_certificates is ClientCertificates.REQUIRED
