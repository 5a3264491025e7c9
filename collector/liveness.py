"""Whether what is published reaches the store, and if not, where it stays."""

import time

from collector.link import LinkWatch
from collector.ping import PERIOD_S, SelfPing
from collector.tally import Tally

STORE_LAGS = "the store does not keep up"
BEHIND = "what the broker kept for us is still arriving"
UNHEARD = "our own messages do not come back"

_PATIENCE_S = 2.0  # a halt that takes longer is told
_LONG_HALT_S = 5.0  # after it the broker holds so much that rates say nothing
_CATCH_UP_NS = 600 * 10**9  # the most that is believed of a broker that sends nothing of ours back
_PERIOD_NS = int(PERIOD_S * 1e9)


class Liveness:
    """Tells the link's state what it means that we wait. Belongs to the network thread."""

    def __init__(self, link: LinkWatch, ping: SelfPing, tally: Tally) -> None:
        self._link = link
        self._ping = ping
        self._tally = tally

    def halted(self, seconds: float) -> None:
        """Nothing has been read for so long, because the intake is full."""
        if seconds > _PATIENCE_S:
            self._link.limp(STORE_LAGS)

    def resumed(self, seconds: float) -> None:
        """After so long there is room again."""
        self._link.mend(STORE_LAGS)
        if seconds > _LONG_HALT_S:
            self._ping.begin(time.monotonic_ns())

    def look(self, now_ns: int) -> None:
        """Says so when our own messages stay away, and whether others come meanwhile."""
        missed = self._ping.is_missed(now_ns)
        moving = now_ns - self._tally.message_ns < _PERIOD_NS
        for reason, holds in ((BEHIND, moving), (UNHEARD, not moving)):
            if missed and holds:
                self._link.limp(reason)
            else:
                self._link.mend(reason)

    def is_catching_up(self, settled_ns: int) -> bool:
        """Whether what arrives now was held by the broker, so that its rate says nothing.

        Args:
            settled_ns: When the newest of our own messages was sent that came back and before
                which everything is acknowledged. Any thread may ask.
        """
        since_ns = self._ping.since_ns
        return settled_ns < since_ns and time.monotonic_ns() - since_ns < _CATCH_UP_NS
