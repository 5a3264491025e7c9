"""A client that says one thing after the other, and hears what the broker answers to each."""

from mosquitto.provision import Credentials
from tests.torture.packets import Kind, Packet, Publish, packet, reason
from tests.torture.publisher import PATIENCE_S, Link

GONE = 0xFF
"""Stands for the reason code of a broker that closed the connection."""

REFUSED = 0x80
"""Reason codes from here on are refusals (MQTT 5, 2.4)."""

QOS = 0b0110
"""The bits of a PUBLISH that say its QoS."""

_RELEASE_FLAGS = 0b0010


class Speaker:
    """Publishes whatever it is given, over a new connection where the last was closed."""

    def __init__(self, port: int, login: Credentials) -> None:
        self._port = port
        self._login = login
        self._link: Link | None = None

    def say(self, message: Publish) -> int:
        """Publishes a message; the reason code of the answer, 0 at QoS 0, or `GONE`."""
        link = self._open()
        try:
            link.send(message.encoded())
            return self._hear(link) if message.flags & QOS else 0
        except OSError:
            self.close()
            return GONE

    def close(self) -> None:
        """Ends the connection, if there is one."""
        if self._link is not None:
            self._link.close()
        self._link = None

    def _open(self) -> Link:
        if self._link is None:
            self._link = Link(self._port, self._login)
        return self._link

    def _hear(self, link: Link) -> int:
        """The answer that settles what was sent; the middle of QoS 2 is played as well."""
        while packets := link.receive(PATIENCE_S):
            for one in packets:
                if one.kind == Kind.PUBREC and reason(one) < REFUSED:
                    link.send(_release(one))
                elif one.kind == Kind.DISCONNECT:
                    raise ConnectionError("told to go")
                else:
                    return reason(one)
        raise ConnectionError("not answered")


def _release(received: Packet) -> bytes:
    return packet(Kind.PUBREL, received.body[:2], _RELEASE_FLAGS)
