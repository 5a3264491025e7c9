"""Home Assistant's own database: the states that its recorder kept.

Source: Home Assistant, `components/recorder/db_schema.py`. Since schema 38 the entity stands in
`states_meta`, since 31 times are seconds in `last_updated_ts`, since 25 attributes are shared.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from telemetry.sources.assembly import Read, assembled
from telemetry.sources.names import client_fault, read_clients, read_metrics, read_units, same_name
from telemetry.sources.piece import Options, Piece, SourceError, in_file
from telemetry.sources.times import Times, read_times, scale_floats, within
from telemetry.sources.values import read_values

CLIENT = "homeassistant"
"""Whose readings they are if nobody says."""

ABSENT = frozenset({"unavailable", "unknown", ""})
"""States that say that there is none."""

_ROWS = 50_000
_BUSY_S = 10.0
_KNOWN_ATTRIBUTES = 1024
_UNIT = "unit_of_measurement"
_Row = tuple[int, str | None, str | None, float | str | None, str | None]


def read_home_assistant(path: Path, options: Options) -> Iterator[Piece]:
    """The states of every entity in the order in which they were written, in small pieces.

    The database is opened read-only, and nothing is left beside it. What its writer has not
    committed is not read; where it cannot be read beside its writer, that is said.

    Raises:
        SourceError: If it is no such database, or is damaged.
    """
    client = options.client or CLIENT
    with in_file(path):
        if client_fault(client):
            raise SourceError(f"no client can be called {client[:60]!r}; give another --client")
        try:
            with _connected(path) as connection:
                cursor = connection.execute(_query(connection))
                while rows := cursor.fetchmany(_ROWS):
                    yield _piece(rows, client, options)
        except sqlite3.Error as error:
            raise SourceError(
                f"this database cannot be read ({error}); copy it while Home Assistant is stopped, "
                "home-assistant_v2.db-wal with it"
            ) from None


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Read-only, beside whoever writes it.

    In a write-ahead log that nobody has open a reader would make files: the database is then read
    as a file that does not change, or what was made for its log is removed.
    """
    log, index = (path.with_name(f"{path.name}-{end}") for end in ("wal", "shm"))
    alone = _has_log(path) and not index.exists()
    unchanged = alone and not (log.exists() and log.stat().st_size)
    mode = "ro&immutable=1" if unchanged else "ro"
    try:
        uri = f"file:{quote(str(path.resolve()))}?mode={mode}"
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_S)) as connection:
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            connection.create_function("unit_in", 1, _unit_in, deterministic=True)
            yield connection
    finally:
        if alone:
            index.unlink(missing_ok=True)


def _has_log(path: Path) -> bool:
    """Whether the database says in its header that it has a write-ahead log."""
    with path.open("rb") as file:
        return file.read(20)[18:] == b"\x02\x02"


@lru_cache(_KNOWN_ATTRIBUTES)
def _unit_in(attributes: object) -> str:
    """The unit in the attributes of a state, or an empty string; thousands of states share them."""
    if not isinstance(attributes, str) or _UNIT not in attributes:
        return ""
    try:
        found = json.loads(attributes)
    except ValueError:
        return ""
    unit = found.get(_UNIT) if isinstance(found, dict) else ""
    return unit if isinstance(unit, str) else ""


def _query(connection: sqlite3.Connection) -> str:
    """What reads key, entity, state, time and unit from the tables that this version has.

    A database that was just taken to a newer version has rows of both kinds.
    """
    columns = {row[1] for row in connection.execute("PRAGMA table_info(states)")}
    if not {"state", "state_id"} <= columns:
        raise SourceError("it is no database of Home Assistant's recorder; it has no states")
    entity, tables = "states.entity_id", "states"
    if "metadata_id" in columns:
        entity = "coalesce(states_meta.entity_id, states.entity_id)"
        if "entity_id" not in columns:
            entity = "states_meta.entity_id"
        tables += " LEFT JOIN states_meta USING (metadata_id)"
    times = [name for name in ("last_updated_ts", "last_updated") if name in columns]
    attributes = ["states.attributes"] if "attributes" in columns else []
    if "attributes_id" in columns:
        attributes.insert(0, "state_attributes.shared_attrs")
        tables += " LEFT JOIN state_attributes USING (attributes_id)"
    return (
        f"SELECT states.state_id, {entity}, states.state, {_first(times)}, "  # noqa: S608  # names of ours
        f"unit_in({_first(attributes)}) FROM {tables} ORDER BY states.state_id"
    )


def _first(names: list[str]) -> str:
    return "NULL" if not names else names[0] if len(names) == 1 else f"coalesce({', '.join(names)})"


def _piece(rows: list[_Row], client: str, options: Options) -> Piece:
    kept = [row for row in rows if row[2] is not None and row[2] not in ABSENT]
    keys, entities, states, moments, units = zip(*kept, strict=True) if kept else ((),) * 5
    read = Read(
        read_clients(same_name(client, len(kept)), own=False),
        read_metrics(pa.array(entities, pa.string()), own=False),
        _times(moments, options),
        read_values(pa.array([str(state) for state in states], pa.string())),
        read_units(pa.array(units, pa.string())),
    )

    def report(places: npt.NDArray[np.intp]) -> list[tuple[int, str]]:
        return [(keys[place], f"{entities[place]}: {states[place]}") for place in places]

    piece = assembled(read, report)
    skipped = len(rows) - len(kept)
    return Piece(piece.table, piece.bad, piece.bad_count, skipped, piece.booleans)


def _times(moments: tuple[float | str | None, ...], options: Options) -> Times:
    """Seconds since 1970, or as text in UTC, as older versions have them."""
    if str not in set(map(type, moments)):
        seconds = np.array([np.nan if one is None else one for one in moments], np.float64)
        return within(scale_floats(seconds), np.zeros(len(moments), np.int32), options.latest_us)
    texts = [f"{one}Z" if isinstance(one, str) else f"{one}" for one in moments]
    return read_times(pa.array(texts, pa.string()), options.zone, options.latest_us)
