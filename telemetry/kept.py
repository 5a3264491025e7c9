"""What a process keeps of a store from one question to the next."""

from collections.abc import Hashable, Mapping
from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

from telemetry.reading import Series
from telemetry.window import Window

Columns = Mapping[str, NDArray[Any]]  # Any: times and counts are integers, texts objects
"""Columns of equal length by their names, sorted by `time_us`."""

Value = TypeVar("Value")


class Recent(Protocol):
    """A series in a snapshot: the columns of its readings, without the price of a frame."""

    def changed_us(self, sequence: int) -> int:
        """What was measured before is as it was at an earlier sequence, but for newer readings.

        Those are newer than all that the series had. It is the end of all time if nothing changed.
        """
        ...

    def count(self, window: Window, at_most: int) -> int:
        """As `telemetry.interface.Snapshot.count`."""
        ...

    def grain_us(self, window: Window) -> int:
        """As `telemetry.interface.Snapshot.grain_us`."""
        ...

    def columns(self, window: Window, at_most: int) -> Columns | None:
        """As `telemetry.interface.Snapshot.read`; `None` if there are more readings than that."""
        ...

    def bucket_columns(self, window: Window, bucket_us: int) -> Columns:
        """As `telemetry.interface.Snapshot.buckets`."""
        ...


class Kept(Protocol):
    """Immutable values by key, for all threads of a process; any of them may be gone.

    They are of one store: of another that takes its place nothing is kept. Whether what was made of
    readings still holds, the sequence at which that was done and `Recent.changed_us` tell.
    """

    @property
    def store(self) -> str:
        """Another word for each store that takes the place of another."""
        ...

    def get(self, key: Hashable, kind: type[Value]) -> Value | None:
        """What was put there, if it is of that kind."""
        ...

    def put(self, key: Hashable, value: object) -> None:
        """It takes the place of what was there; if files cannot be read, nothing is kept."""
        ...

    def of(self, series: Series) -> Recent:
        """The series as it is now."""
        ...
