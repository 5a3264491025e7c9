"""How long readings take from their publisher to a reader of the store."""

import statistics
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from telemetry.reading import Series
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.window import ALL_TIME
from tests.torture.numbers import Ledger

_LOOK_S = 0.005
_NEWEST = 1


@dataclass(frozen=True, slots=True)
class Delays:
    """How long something took, in seconds, each time."""

    seconds: Sequence[float]

    def __str__(self) -> str:
        """Median, 99th percentile and worst, and of how many.

        >>> print(Delays([0.001, 1.5]))
        p50 750 ms, p99 1.50 s, worst 1.50 s (of 2)
        >>> print(Delays([]))
        not measured
        """
        if not self.seconds:
            return "not measured"
        ordered = sorted(self.seconds)
        middle, worst = statistics.median(ordered), ordered[-1]
        late = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
        p50, p99, most = map(_duration, (middle, late, worst))
        return f"p50 {p50}, p99 {p99}, worst {most} (of {len(ordered)})"


def _duration(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


class Watch:
    """Looks at the newest number of a series again and again; use it in a `with` block.

    The numbers must have rising times of their own.
    """

    def __init__(self, settings: Settings, series: Series) -> None:
        self._path = settings.store_path
        self._series = series
        self._numbers: list[float] = [-1.0]
        self._seen_s: list[float] = [0.0]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._thread.join()

    def delays(self, ledger: Ledger, numbers: Iterable[int]) -> Delays:
        """From the sending of each of these numbers until it was seen."""
        return Delays(list(self._delays(ledger, numbers)))

    def _delays(self, ledger: Ledger, numbers: Iterable[int]) -> Iterator[float]:
        for number in numbers:
            place = bisect_left(self._numbers, number)
            if number in ledger.sent and place < len(self._numbers):
                yield self._seen_s[place] - ledger.sent[number]

    def _look(self) -> None:
        with closing(open_querier(self._path)) as querier:
            while not self._stopping.wait(_LOOK_S):
                with querier.snapshot() as snapshot:
                    newest = snapshot.tail(self._series, ALL_TIME, _NEWEST).frame["value"]
                if len(newest) and newest.iloc[0] > self._numbers[-1]:
                    self._seen_s.append(time.time())
                    self._numbers.append(float(newest.iloc[0]))
