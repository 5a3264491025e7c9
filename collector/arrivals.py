"""Network connections of which the broker's log has not said yet whose they are."""

from telemetry.window import SECOND_US

_LONGEST_US = 120 * SECOND_US  # 2.0 ends one that says nothing after 96 s
_MOST = 1000


class Arrivals:
    """Tells the address of one that Mosquitto 2.0 turns away, which it does not name itself.

    It is the one that has not logged in yet. If there are several, only what they have in common
    is told; WebSockets are not announced and never among them.
    """

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._doubtful: set[str] = set()  # hosts of those one of whom may be gone unnoticed

    def add(self, address: str, time_us: int) -> None:
        """Notes one."""
        self._times[address] = time_us
        if len(self._times) > _MOST:
            oldest = next(iter(self._times))
            self._doubtful.add(_host(oldest))
            del self._times[oldest]

    def discard(self, address: str) -> bool:
        """Notes whose it is; returns whether there was one."""
        known = self._times.pop(address, None) is not None
        if not self._times:
            self._doubtful.clear()
        return known

    def take(self, now_us: int) -> str:
        """The address of one that ended without a name: whole, its host, or empty if unknown."""
        self._forget(now_us)
        if not self._times:
            return ""
        address = next(iter(self._times))
        if len(self._times) == 1 and not self._doubtful:
            self.discard(address)
            return address
        self._doubtful |= {_host(one) for one in self._times}
        told = next(iter(self._doubtful)) if len(self._doubtful) == 1 else ""
        self.discard(address)
        return told

    def _forget(self, now_us: int) -> None:
        for address, time_us in list(self._times.items()):
            if abs(now_us - time_us) <= _LONGEST_US:
                return
            self.discard(address)


def _host(address: str) -> str:
    return address.rpartition(":")[0]
