"""How far clients' clocks are off: a running median that outliers and late data do not move."""

from collections import deque
from collections.abc import Mapping
from statistics import median_low

from telemetry.batch import Skew

WINDOW = 63
"""Messages of a client that count; an odd number, so that the median is one of them."""

_CLIENTS = 10_000


class SkewWatch:
    """Follows the newest messages of each client that carry a time of their own.

    The median of time of receipt minus the client's time is the delay of the network plus what the
    clock is behind; of clients that report at once, nearly the clock alone.
    """

    def __init__(self, before: Mapping[str, Skew]) -> None:
        self._samples = {client: one.samples for client, one in before.items()}
        self._newest = {client: deque([one.skew_us], WINDOW) for client, one in before.items()}
        self._changed: set[str] = set()

    def note(self, client: str, skew_us: int) -> None:
        """Takes in one message; of clients beyond a bound none."""
        newest = self._newest.get(client)
        if newest is None:
            if len(self._newest) >= _CLIENTS:
                return
            newest = self._newest[client] = deque(maxlen=WINDOW)
        newest.append(skew_us)
        self._samples[client] = self._samples.get(client, 0) + 1
        self._changed.add(client)

    def take_changed(self) -> dict[str, Skew]:
        """The estimates of clients that were heard since this was last asked."""
        changed = {
            client: Skew(median_low(self._newest[client]), self._samples[client])
            for client in self._changed
        }
        self._changed.clear()
        return changed
