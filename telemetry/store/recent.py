"""Readings of a series as columns: of a few rows, a frame costs more than all the rest."""

from collections.abc import Hashable, Mapping, Sequence

from telemetry.kept import Columns, Value
from telemetry.reading import Series
from telemetry.store import head_readings as head
from telemetry.store.archive import Archive
from telemetry.store.head import Connection
from telemetry.store.layout import Block, Tier
from telemetry.store.readings import SeriesReadings
from telemetry.store.revision import Memory
from telemetry.window import ALL_TIME, Window

_FEW = 100


class StoredRecent(SeriesReadings):
    """The same readings, each exactly once; implements `telemetry.kept.Recent`."""

    def __init__(
        self, connection: Connection, archive: Archive, series: Series, revised: int
    ) -> None:
        super().__init__(connection, archive, series)
        self._revised = revised

    def changed_us(self, sequence: int) -> int:
        """What was measured before is as it was at an earlier sequence, but for newer readings."""
        if sequence < self._revised:
            return ALL_TIME.start_us
        return self._span.changed_us(sequence)

    def columns(self, window: Window, at_most: int) -> Columns | None:
        """The columns of `read`; `None` if there are more readings than that.

        Few are read at once; many are counted first, for there may be too many.
        """
        behind = self._is_behind(self._blocks(Tier.READINGS, window), window)
        if not behind:
            rows = head.rows_of(self._connection, self._span.id, window, _FEW + 1)
            if len(rows) <= min(_FEW, at_most):
                return head.columns_of(rows)
        if self.count(window, at_most + 1) > at_most:
            return None
        if not behind:
            return head.columns_of(head.rows_of(self._connection, self._span.id, window, at_most))
        frame = self.read(window)
        return {str(name): frame[name].to_numpy() for name in frame}

    def bucket_columns(self, window: Window, bucket_us: int) -> Columns:
        """The columns of `buckets`."""
        if self._is_behind(self._blocks(Tier.READINGS, window), window):
            frame = self.buckets(window, bucket_us)
            return {str(name): frame[name].to_numpy() for name in frame}
        return head.buckets(self._connection, self._span.id, window, bucket_us)

    def _is_behind(self, blocks: Sequence[Block], window: Window) -> bool:
        """Whether some of a window may lie elsewhere than in the head."""
        return bool(blocks) or self._is_over(window.start_us)


class StoredKept:
    """What is kept of a store, in one snapshot of it; implements `telemetry.kept.Kept`."""

    def __init__(
        self,
        connection: Connection,
        archive: Archive,
        memory: Memory,
        state: Mapping[str, int | str],
    ) -> None:
        self._connection = connection
        self._archive = archive
        self._memory = memory
        self._revised = int(state["revised"])
        self.store = memory.store

    def get(self, key: Hashable, kind: type[Value]) -> Value | None:
        """What was put there, if it is of that kind."""
        value = self._memory.get(key)
        return value if isinstance(value, kind) else None

    def put(self, key: Hashable, value: object) -> None:
        """It takes the place of what was there; if files cannot be read, nothing is kept."""
        if not self._archive.damage:
            self._memory.put(key, value)

    def of(self, series: Series) -> StoredRecent:
        """The series as it is now."""
        return StoredRecent(self._connection, self._archive, series, self._revised)
