"""What one client may cost the others: messages per second, series, places in the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass

from telemetry.reading import Series
from telemetry.window import SECOND_US

_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Caps:
    """What clients may cost.

    Attributes:
        messages_per_s: Messages that one client may send each second for long; 0 is no limit.
        burst: Messages that it may send at once after a quiet time.
        series_per_client: Series that one client may have.
        series: Series that all may have together.
    """

    messages_per_s: int
    burst: int
    series_per_client: int
    series: int


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_us: int


class RateLimit:
    """A token bucket for each client. Belongs to one thread.

    What the broker held for us arrives at once and was not sent at once: `catching_up` says that
    it is such a time, in which nothing is limited.
    """

    def __init__(self, caps: Caps) -> None:
        self._per_us = caps.messages_per_s / SECOND_US
        self._burst = caps.burst
        self._buckets: dict[str, _Bucket] = {}

    def admit(self, client: str, now_us: int, *, catching_up: bool = False) -> bool:
        """Whether the client may send one more message now; if so, it is counted."""
        if not self._per_us or catching_up:
            return True
        bucket = self._bucket(client, now_us)
        waited_us = max(0, now_us - bucket.filled_us)  # the clock may have been set back
        bucket.tokens = min(self._burst, bucket.tokens + waited_us * self._per_us)
        bucket.filled_us = now_us
        if bucket.tokens < 1:
            return False
        bucket.tokens -= 1
        return True

    def _bucket(self, client: str, now_us: int) -> _Bucket:
        bucket = self._buckets.get(client)
        if bucket is None:
            if len(self._buckets) >= _BUCKETS:
                self._buckets.clear()  # full buckets for all: forgetting is generous
            bucket = self._buckets[client] = _Bucket(self._burst, now_us)
        return bucket


class Cardinality:
    """Which series there are, and whether there may be one more. Belongs to one thread."""

    def __init__(self, caps: Caps, known: Iterable[Series]) -> None:
        self._caps = caps
        self._known: set[Series] = set()
        self._per_client: dict[str, int] = {}
        self.learn(known)

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, known: Iterable[Series]) -> None:
        """Knows exactly these series, as after some were erased."""
        self._known = set(known)
        self._per_client = {}
        for series in self._known:
            self._per_client[series.client] = self._per_client.get(series.client, 0) + 1

    def admit(self, series: Series) -> bool:
        """Whether that series is there or may be made; if so, it is there from now on."""
        if series in self._known:
            return True
        mine = self._per_client.get(series.client, 0)
        if mine >= self._caps.series_per_client or len(self._known) >= self._caps.series:
            return False
        self._known.add(series)
        self._per_client[series.client] = mine + 1
        return True

    def copy(self) -> "Cardinality":
        """The same, and what is admitted there is not admitted here."""
        return Cardinality(self._caps, self._known)

    def knows(self, client: str) -> bool:
        """Whether the client has a series."""
        return client in self._per_client
