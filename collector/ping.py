"""Our own message through the broker and back: proof of the whole way. Pure.

It also wakes a queue that Mosquitto 2.0.11 leaves standing: with its window full of expired
messages it delivers nothing until the next publish (mosquitto issue 2609).
"""

PERIOD_S = 10.0
MISSED = 3
"""So many periods without one coming back are a fault."""

_PERIOD_NS = int(PERIOD_S * 1e9)
_BLAMED = 2


class SelfPing:
    """When to send the next, and what those that came back say.

    Times are of the monotonic clock, in nanoseconds.

    An existing broker may not let us publish or subscribe there: what has never come back on a
    connection says nothing then.

    Args:
        nonce: Tells what this process sent from what an earlier one did.
        required: Whether the broker lets us, without question.

    Attributes:
        since_ns: When the connection began, or a long pause in it ended.
        returned_ns: When one last came back, or 0.
        round_trip_us: How long that one took, in microseconds; 0 if there is none.
        wanted: Whether to send them and to subscribe to them.
    """

    def __init__(self, nonce: str, *, required: bool = True) -> None:
        self.since_ns = 0
        self.returned_ns = 0
        self.round_trip_us = 0
        self.wanted = True
        self._nonce = nonce
        self._required = required
        self._next_ns = 0
        self._begun = False
        self._ends = 0

    def begin(self, now_ns: int) -> None:
        """The next one is due at once, and nothing is expected of those before."""
        self.since_ns = self._next_ns = now_ns
        self._begun = True

    def refuse(self) -> bool:
        """Gives them up, because the broker does not take them; False if it has to.

        To be tried again they would have to end a connection again: Mosquitto 2.0.11 answers with
        "not authorised" over MQTT 5 and then closes it.

        >>> SelfPing("a").refuse(), SelfPing("a", required=False).refuse()
        (False, True)
        """
        if not self._required:
            self.wanted, self.round_trip_us = False, 0
        return not self._required

    def end(self) -> bool:
        """The connection is over, if there was one; whether our own messages are to blame.

        Some brokers end it for what they do not allow (MQTT 3.1.1, 3.3.5). Two in a row that ended
        before one came back are blamed on ours: without them readings arrive.
        """
        if self._begun and self.wanted:
            self._ends = 0 if self.returned_ns >= self.since_ns else self._ends + 1
        self._begun = False
        return self.wanted and self._ends >= _BLAMED

    def is_due(self, now_ns: int) -> bool:
        """Whether it is time to send the next."""
        return self.wanted and now_ns >= self._next_ns

    def payload(self, now_ns: int) -> bytes:
        """What the one that is sent now says; the next is due a period later."""
        self._next_ns = now_ns + _PERIOD_NS
        return f"{self._nonce} {now_ns}".encode()

    def came_back(self, payload: bytes, now_ns: int) -> int:
        """When the one that says this was sent; 0 if this process did not send it.

        >>> ping = SelfPing("a")
        >>> ping.came_back(b"a 1000", 51_000), ping.round_trip_us, ping.came_back(b"b 1", 2)
        (1000, 50, 0)
        """
        nonce, _, sent = payload.partition(b" ")
        if nonce != self._nonce.encode() or not sent.isdigit():
            return 0
        self.returned_ns, self.round_trip_us = now_ns, (now_ns - int(sent)) // 1000
        return int(sent)

    def is_missed(self, now_ns: int) -> bool:
        """Whether none has come back for too long."""
        if not self._required and (not self.wanted or self.returned_ns < self.since_ns):
            return False
        return now_ns - max(self.since_ns, self.returned_ns) > MISSED * _PERIOD_NS


def ping_topic(client_id: str) -> str:
    """Where it is published; a client identifier is on one connection at a time.

    The same for every process that takes the session over: what an earlier one sent is known.
    """
    return f"culex/ping/{client_id}"
