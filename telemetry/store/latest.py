"""The newest reading of each series: one row of the catalog for each, however long its history."""

from collections.abc import Sequence

from telemetry.reading import Kind, Latest, Series
from telemetry.store.head import Connection

_LATEST = """SELECT series.client, series.metric, kind,
    coalesce(nullif(series.unit, ''), description.unit, ''), newest_us, newest_value,
    newest_received_us, newest_flags, coalesce(name, '')
    FROM series LEFT JOIN description USING (client, metric) {where} ORDER BY 1, 2"""
_OF_ALL = _LATEST.format(where="")
_OF_CLIENT = _LATEST.format(where="WHERE series.client = ?")
_RECEIVED = "SELECT coalesce(max(newest_received_us), 0) FROM series"
_KINDS = {kind.value: kind for kind in Kind}

Row = tuple[str, str, str, str, int, float | str, int, int, str]


class Newest:
    """Answers again and again; what has not changed since it was last asked is not made anew.

    For 10 000 series that takes 3 ms beside the 16 ms in which SQLite says its rows.
    """

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._latest: list[Latest] = []

    def of_all(self, connection: Connection) -> Sequence[Latest]:
        """Of each series, by client and metric."""
        rows: list[Row] = connection.execute(_OF_ALL).fetchall()
        if len(rows) == len(self._rows):
            before = zip(rows, self._rows, self._latest, strict=True)
            self._latest = [old if row == known else _latest(row) for row, known, old in before]
        else:
            self._latest = [_latest(row) for row in rows]
        self._rows = rows
        return [*self._latest]

    def of_client(self, connection: Connection, client: str) -> Sequence[Latest]:
        """Of each series of a client, by metric."""
        return [_latest(row) for row in connection.execute(_OF_CLIENT, (client,))]


def _latest(row: Row) -> Latest:
    client, metric, kind, unit, time_us, value, received_us, flags, name = row
    return Latest(
        Series(client, metric), _KINDS[kind], unit, time_us, value, received_us, flags, name
    )


def newest_received_us(connection: Connection) -> int:
    """When the last of these arrived; 0 if there is none."""
    (received_us,) = connection.execute(_RECEIVED).fetchone()
    return int(received_us)
