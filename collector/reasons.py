"""Why there is no connection with the broker, for anybody to read. Pure."""

import socket
import ssl

from collector.connecting import NoTls, TrustError
from collector.properties import Malformed
from telemetry.login import SecretError

LOST = "connection lost"
UNANSWERED = (
    "the broker ended the connection without an answer; if it speaks TLS there, write mqtts://"
)

_NO_TLS = "the broker does not speak TLS on that port; correct broker_url"
_UNTRUSTED = (
    "the broker's certificate is signed by nobody whom this machine trusts; "
    "set broker_ca to the certificate of who signed it"
)
_CERTIFICATE = {
    9: "the broker's certificate is not valid yet; is the clock right?",
    10: "the broker's certificate has expired; its owner has to renew it",
    62: "the broker's certificate is for another name; write that one in broker_url",
    64: "the broker's certificate is for another address; write its name in broker_url",
}
"""By OpenSSL's number for what is wrong with it."""


def explain(error: Exception) -> str:
    """Why there is none: `connection refused`, `timed out`.

    >>> explain(ConnectionRefusedError(111, "Connection refused"))
    'connection refused'
    """
    match error:
        case SecretError():
            return "our login cannot be read, see the log"  # its sentence holds a path
        case TrustError():
            return "broker_ca cannot be used, see the log"
        case Malformed():
            return f"the broker sends what is no MQTT: {error}"
        case socket.gaierror():
            return f"the broker's name cannot be looked up: {(error.strerror or '').lower()}"
        case ssl.SSLError() | NoTls():
            return _of_tls(error)
        case _:
            return (getattr(error, "strerror", None) or str(error) or LOST).lower()


def _of_tls(error: ssl.SSLError | NoTls) -> str:
    match error:
        case ssl.SSLCertVerificationError():
            return _CERTIFICATE.get(error.verify_code, _UNTRUSTED)
        case ssl.SSLError(reason="TLSV13_ALERT_CERTIFICATE_REQUIRED"):
            return "the broker asks for a client certificate, which Culex cannot show"
        case NoTls() | ssl.SSLError(reason="WRONG_VERSION_NUMBER"):
            return _NO_TLS
        case _:
            reason = getattr(error, "reason", None) or "for an unknown reason"
            return f"TLS with the broker fails: {reason.lower().replace('_', ' ')}"


def refused(reason: str, *, ours: bool) -> str:
    """Why the broker does not take us in, and at an existing one what to do.

    >>> refused("Not authorized", ours=True)
    'login refused: Not authorized'
    """
    advice = "" if ours else "; correct the user in broker_url or the file secrets/broker-password"
    return f"login refused: {reason}{advice}"


def plain(reason: str) -> str:
    """What paho calls a reason, in words for people."""
    return LOST if reason in ("Unspecified error", "Normal disconnection") else reason
