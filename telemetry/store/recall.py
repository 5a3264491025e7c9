"""What the collector must remember across a crash: deliveries, identities, earlier payloads."""

from collections.abc import Iterable, Mapping, Sequence

from telemetry.batch import (
    DELIVERIES_KEPT,
    DESCRIPTIONS_KEPT,
    IDENTITIES_KEPT,
    Identity,
    Skew,
)
from telemetry.reading import Series, SeriesName
from telemetry.store.head import Connection

_KEY_BYTES = 18
_FORGET = "DELETE FROM memory WHERE key = ?"
_MEMORY = "INSERT OR REPLACE INTO memory VALUES (?, ?)"
_IDENTITY = "INSERT INTO identity (key, digest) VALUES (?, ?) ON CONFLICT DO NOTHING"
_TRIM_IDENTITIES = """DELETE FROM identity
    WHERE position <= (SELECT max(position) FROM identity) - ?"""
_DESCRIPTION = """INSERT INTO description (client, metric, name, unit) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET name = excluded.name, unit = excluded.unit"""
_TRIM_DESCRIPTIONS = """DELETE FROM description
    WHERE position <= (SELECT max(position) FROM description) - ? AND NOT EXISTS (SELECT 1
        FROM series WHERE (client, metric) = (description.client, description.metric))"""
_SKEW = "INSERT OR REPLACE INTO skew VALUES (?, ?, ?)"


class Recall:
    """The write side of the small tables, inside the transactions of its owner."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def deliveries(self) -> list[bytes]:
        """The deliveries remembered from before, oldest first."""
        rows = self._connection.execute("SELECT keys FROM delivery ORDER BY last")
        return [
            keys[start : start + _KEY_BYTES]
            for (keys,) in rows
            for start in range(0, len(keys), _KEY_BYTES)
        ]

    def remember(self, deliveries: Sequence[bytes], *, anew: bool) -> None:
        """Adds the deliveries of one batch in one row; `anew` forgets all before."""
        if anew:
            self._connection.execute("DELETE FROM delivery")
        if not deliveries:
            return
        (last,) = self._connection.execute("SELECT max(last) FROM delivery").fetchone()
        last = (last or 0) + len(deliveries)
        row = (last, b"".join(deliveries))
        self._connection.execute("INSERT INTO delivery VALUES (?, ?)", row)
        self._connection.execute("DELETE FROM delivery WHERE last <= ?", (last - DELIVERIES_KEPT,))

    def identified(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The digests of those keys that are remembered."""
        find = "SELECT key, digest FROM identity WHERE key = ?"
        found = (self._connection.execute(find, (key,)).fetchone() for key in keys)
        return dict(row for row in found if row is not None)

    def identify(self, identities: Sequence[Identity]) -> None:
        """Adds what publishers call their messages; the oldest go."""
        if identities:
            self._connection.executemany(_IDENTITY, identities)
            self._connection.execute(_TRIM_IDENTITIES, (IDENTITIES_KEPT,))

    def memory(self) -> dict[str, bytes]:
        """What earlier payloads said that later ones need."""
        return dict(self._connection.execute("SELECT key, content FROM memory").fetchall())

    def keep(self, memory: Mapping[str, bytes]) -> None:
        """Keeps what payloads said, in place of what was kept under the same keys."""
        gone = [(key,) for key, content in memory.items() if not content]
        self._connection.executemany(_FORGET, gone)
        there = [(key, content) for key, content in memory.items() if content]
        self._connection.executemany(_MEMORY, there)

    def describe(self, names: Iterable[SeriesName]) -> None:
        """Keeps names and units of series, which need not be there yet; of those the oldest go."""
        rows = [(*one.series, one.name, one.unit) for one in names]
        if rows:
            self._connection.executemany(_DESCRIPTION, rows)
            self._connection.execute(_TRIM_DESCRIPTIONS, (DESCRIPTIONS_KEPT,))

    def set_skews(self, skews: Mapping[str, Skew]) -> None:
        """Keeps how far clients' clocks are off."""
        rows = ((client, one.skew_us, one.samples) for client, one in skews.items())
        self._connection.executemany(_SKEW, rows)

    def series(self) -> list[Series]:
        """Every series there is."""
        return [
            Series(*row) for row in self._connection.execute("SELECT client, metric FROM series")
        ]


def read_skews(connection: Connection) -> dict[str, Skew]:
    """How far clients' clocks are off, by client."""
    rows = connection.execute("SELECT client, skew_us, samples FROM skew")
    return {client: Skew(skew_us, samples) for client, skew_us, samples in rows}
