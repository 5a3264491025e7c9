"""How far clients' clocks are off: an estimate that outliers and what was buffered do not move."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from telemetry.batch import Skew
from telemetry.window import SECOND_US

TURN_US = 10 * SECOND_US
"""Of messages that arrive so close together, the one that took least counts for all."""

TURNS = 31
"""So many of the newest turns are compared."""

_CLIENTS = 10_000


@dataclass(slots=True)
class _Heard:
    """The least difference in each of the newest turns, and how many messages they are of."""

    samples: int = 0
    turn: int | None = None
    least: deque[int] = field(default_factory=lambda: deque(maxlen=TURNS))

    def note(self, turn: int, skew_us: int) -> None:
        self.samples += 1
        if turn == self.turn:
            self.least[-1] = min(self.least[-1], skew_us)
        else:
            self.turn = turn
            self.least.append(skew_us)

    @property
    def quartile(self) -> int:
        """What a quarter of the turns is not above."""
        return sorted(self.least)[(len(self.least) - 1) // 4]


class SkewWatch:
    """Follows the newest messages of each client that carry a time of their own.

    Time of receipt minus the client's time is what the message took plus what the clock is behind.
    It takes anything from nothing to days, where a client tells what it kept while it was away, so
    the least of it is nearest to the clock. One that is wrong by being early must not count either:
    hence the lower quartile of the least, and not the least of all.
    """

    def __init__(self, before: Mapping[str, Skew]) -> None:
        self._heard = {
            client: _Heard(one.samples, None, deque([one.skew_us], TURNS))
            for client, one in before.items()
        }
        self._changed: set[str] = set()

    def note(self, client: str, skew_us: int, received_us: int) -> None:
        """Takes in one message; of clients beyond a bound none."""
        heard = self._heard.get(client)
        if heard is None:
            if len(self._heard) >= _CLIENTS:
                return
            heard = self._heard[client] = _Heard()
        heard.note(received_us // TURN_US, skew_us)
        self._changed.add(client)

    def take_changed(self) -> dict[str, Skew]:
        """The estimates of clients that were heard since this was last asked."""
        changed = {
            client: Skew(self._heard[client].quartile, self._heard[client].samples)
            for client in self._changed
        }
        self._changed.clear()
        return changed
