"""What the broker grants on a connection. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from collector.dialect import Version

NEVER_EXPIRES = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Terms:
    """The properties of a CONNACK that change what we may do or promise (MQTT 5, 3.2.2.3).

    Attributes:
        keep_alive_s: How long we may be silent; never longer than we asked for.
        session_s: How long it keeps our session without us.
        qos: The best quality of service it gives.
        identifiers: Whether subscriptions may have identifiers.
    """

    keep_alive_s: int
    session_s: int = NEVER_EXPIRES
    qos: int = 2
    identifiers: bool = True

    def troubles(self) -> Iterator[str]:
        """What we ask for and do not get, so that messages may be lost."""
        if self.session_s < NEVER_EXPIRES:
            yield f"it keeps what we miss for {self.session_s} s only"
        if self.qos == 0:
            yield "it offers no acknowledged delivery"


def terms_of(properties: object, keep_alive_s: int, version: Version) -> Terms:
    """The terms in the properties of a CONNACK; what is not said there is as we asked.

    In MQTT 3.1.1 nothing is said, and subscriptions have no identifiers.
    """
    if version is Version.V311:
        return Terms(keep_alive_s, identifiers=False)
    return Terms(
        min(getattr(properties, "ServerKeepAlive", 0) or keep_alive_s, keep_alive_s),
        getattr(properties, "SessionExpiryInterval", NEVER_EXPIRES),
        getattr(properties, "MaximumQoS", 2),
        bool(getattr(properties, "SubscriptionIdentifierAvailable", True)),
    )
