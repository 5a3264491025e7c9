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
        self._waiting: list[tuple[str, int]] = []  # an address may stand here twice: see `take`
        self._doubtful: set[str] = set()  # hosts of those one of whom may be gone unnoticed

    def add(self, address: str, time_us: int) -> None:
        """Notes one."""
        self._waiting.append((address, time_us))
        if len(self._waiting) > _MOST:
            oldest, _ = self._waiting.pop(0)
            self._doubtful.add(_host(oldest))

    def discard(self, address: str) -> bool:
        """Notes whose it is; returns whether there was one."""
        known = next((one for one in self._waiting if one[0] == address), None)
        if known is not None:
            self._remove(known)
        return known is not None

    def take(self, now_us: int) -> str:
        """The address of one that ended without a name: whole, its host, or empty if unknown.

        Of several the oldest goes in its place, for their number is what stays certain. So one
        that comes again while it seems to be here is one more.
        """
        self._forget(now_us)
        if not self._waiting:
            return ""
        oldest = self._waiting[0]
        told, _ = oldest
        if len(self._waiting) > 1 or self._doubtful:
            self._doubtful |= {_host(address) for address, _ in self._waiting}
            told = next(iter(self._doubtful)) if len(self._doubtful) == 1 else ""
        self._remove(oldest)
        return told

    def _remove(self, one: tuple[str, int]) -> None:
        self._waiting.remove(one)
        if not self._waiting:
            self._doubtful.clear()

    def _forget(self, now_us: int) -> None:
        while self._waiting and abs(now_us - self._waiting[0][1]) > _LONGEST_US:
            self._remove(self._waiting[0])


def _host(address: str) -> str:
    return address.rpartition(":")[0]
