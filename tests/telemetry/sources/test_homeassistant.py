"""Home Assistant's database in its schemas, old and new, which is never written."""

import json
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from telemetry.sources import Options, Piece, SourceError, homeassistant, open_source

NOON_US = 1_795_435_200_000_000
NOON = NOON_US / 1e6

NEW = """
CREATE TABLE state_attributes (attributes_id INTEGER NOT NULL, hash BIGINT, shared_attrs TEXT,
    PRIMARY KEY (attributes_id));
CREATE TABLE states_meta (metadata_id INTEGER NOT NULL, entity_id VARCHAR(255),
    PRIMARY KEY (metadata_id));
CREATE TABLE states (state_id INTEGER NOT NULL, entity_id CHAR(0), state VARCHAR(255),
    attributes CHAR(0), event_id SMALLINT, last_changed CHAR(0), last_changed_ts FLOAT,
    last_reported_ts FLOAT, last_updated CHAR(0), last_updated_ts FLOAT, old_state_id INTEGER,
    attributes_id INTEGER, context_id CHAR(0), context_user_id CHAR(0), context_parent_id CHAR(0),
    origin_idx SMALLINT, context_id_bin BLOB, context_user_id_bin BLOB, context_parent_id_bin BLOB,
    metadata_id INTEGER, PRIMARY KEY (state_id),
    FOREIGN KEY(old_state_id) REFERENCES states (state_id),
    FOREIGN KEY(attributes_id) REFERENCES state_attributes (attributes_id),
    FOREIGN KEY(metadata_id) REFERENCES states_meta (metadata_id));
CREATE INDEX ix_states_metadata_id_last_updated_ts ON states (metadata_id, last_updated_ts);
"""
OLD = """
CREATE TABLE states (state_id INTEGER NOT NULL, domain VARCHAR(64), entity_id VARCHAR(255),
    state VARCHAR(255), attributes TEXT, event_id INTEGER, last_changed DATETIME,
    last_updated DATETIME, created DATETIME, old_state_id INTEGER, PRIMARY KEY (state_id));
"""


def build(path: Path, schema: str, rows: "Iterable[tuple[str, tuple[object, ...]]]") -> Path:
    """A database with that schema and what the statements insert."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(schema)
        for statement, values in rows:
            connection.execute(statement, values)
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database as Home Assistant has them since 2023."""
    attributes = {1: json.dumps({"unit_of_measurement": "°C", "friendly_name": "x"}), 2: "{}",
                  3: '{"unit_of_measurement": broken'}  # fmt: skip
    entities = {1: "sensor.boiler", 2: "light.hall", 3: "climate.hall"}
    states = [
        (1, "21.5", NOON, 1), (1, "unavailable", NOON + 1, 1), (1, "unknown", NOON + 2, 1),
        (2, "on", NOON + 3, 2), (3, "heat", NOON + 4, 3), (1, "21,5", NOON + 5, 1),
        (1, "22", None, 1), (None, "1", NOON, 1), (1, None, NOON, 1), (1, "22", NOON + 0.25, 1),
    ]  # fmt: skip
    meta, shared = "INSERT INTO states_meta VALUES (?, ?)", "INSERT INTO state_attributes"
    state = "INSERT INTO states (metadata_id, state, last_updated_ts, attributes_id)"
    return build(
        tmp_path / "home-assistant_v2.db",
        NEW,
        [
            *((meta, row) for row in entities.items()),
            *((f"{shared} VALUES (?, 0, ?)", row) for row in attributes.items()),
            *((f"{state} VALUES (?, ?, ?, ?)", row) for row in states),
        ],
    )


def pieces(path: Path, options: Options | None = None) -> list[Piece]:
    """Everything a database comes to."""
    return list(open_source(path, options or Options()))


def test_states_are_readings_of_their_entities(database: Path) -> None:
    """Numbers, words for yes and no, states, units; what is unavailable is skipped, not bad."""
    (piece,) = pieces(database)
    found = piece.table.to_pylist()
    assert [(row["client"], row["metric"], row["unit"]) for row in found] == [
        ("homeassistant", "sensor.boiler", "°C"), ("homeassistant", "light.hall", ""),
        ("homeassistant", "climate.hall", ""), ("homeassistant", "sensor.boiler", "°C"),
    ]  # fmt: skip
    assert [row["text"] or row["value"] for row in found] == [21.5, 1.0, "heat", 22.0]
    assert [row["time_us"] - NOON_US for row in found] == [0, 3_000_000, 4_000_000, 250_000]
    assert [(row.line, row.reason) for row in piece.bad] == [
        (6, "decimal-comma"), (7, "bad-time"), (8, "no-metric")
    ]  # fmt: skip
    assert piece.skipped == 3


def test_states_are_those_of_the_client_that_was_named(database: Path) -> None:
    """A house may have another name."""
    (piece,) = pieces(database, Options(client="house"))
    assert set(piece.table["client"].to_pylist()) == {"house"}
    with pytest.raises(SourceError, match="no client can be called 'broker'"):
        pieces(database, Options(client="broker"))


def test_old_schema_has_entities_and_texts_for_times_in_its_states(tmp_path: Path) -> None:
    """The databases of 2022 and before; their times are UTC without saying so."""
    statement = "INSERT INTO states (entity_id, state, attributes, last_updated) VALUES (?,?,?,?)"
    unit = json.dumps({"unit_of_measurement": "W"})
    path = build(
        tmp_path / "old.db",
        OLD,
        [
            (statement, ("sensor.p", "5", unit, "2026-11-23 12:00:00.250000")),
            (statement, ("sensor.p", "6", None, "soon")),
        ],
    )
    (piece,) = pieces(path)
    (row,) = piece.table.to_pylist()
    assert (row["metric"], row["value"], row["unit"]) == ("sensor.p", 5.0, "W")
    assert row["time_us"] == NOON_US + 250_000
    assert [(one.line, one.reason) for one in piece.bad] == [(2, "bad-time")]


def test_database_is_not_touched(database: Path) -> None:
    """Not one byte changes and nothing is left beside it, also if its mode is WAL."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
    before = database.read_bytes()
    assert pieces(database)
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == [database.name]


def test_states_still_in_the_log_of_a_running_house_are_read(database: Path) -> None:
    """What Home Assistant has not yet moved into the database is there too."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(
            "INSERT INTO states (metadata_id, state, last_updated_ts) VALUES (2, 'off', ?)", (NOON,)
        )
        connection.commit()
        (piece,) = pieces(database)
    assert piece.table["value"].to_pylist()[-1] == 0.0


def test_database_of_others_and_a_damaged_one_say_so(tmp_path: Path, database: Path) -> None:
    """One sentence with the name of the file."""
    other = build(tmp_path / "other.db", "CREATE TABLE a (b);", [])
    with pytest.raises(SourceError, match=r"other\.db: it is no database of Home Assistant"):
        pieces(other)
    content = database.read_bytes()
    for damaged in (
        content[:6000],
        content[:100] + bytes(len(content) - 100),
        b"SQLite format 3\0",
    ):
        database.write_bytes(damaged)
        with pytest.raises(SourceError, match=r"home-assistant_v2\.db: "):
            pieces(database)


@pytest.mark.parametrize("journal", ["DELETE", "WAL"])
def test_states_that_their_writer_has_not_committed_are_not_read(
    database: Path, monkeypatch: pytest.MonkeyPatch, journal: str
) -> None:
    """Beside a log what was committed is read; without one it cannot be, and that is said."""
    monkeypatch.setattr(homeassistant, "_BUSY_S", 0.1)
    before = [piece.table["value"].to_pylist() for piece in pieces(database)]
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute(f"PRAGMA journal_mode = {journal}")
        writer.execute("PRAGMA cache_size = 1")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE states SET state = '66666'")
        row = "INSERT INTO states (metadata_id, state, last_updated_ts) VALUES (1, ?, ?)"
        writer.executemany(row, [(str(n), NOON + n) for n in range(5000)])
        if journal == "WAL":
            assert [piece.table["value"].to_pylist() for piece in pieces(database)] == before
        else:
            with pytest.raises(SourceError, match="copy it while Home Assistant is stopped"):
                pieces(database)
        writer.execute("ROLLBACK")
    assert [piece.table["value"].to_pylist() for piece in pieces(database)] == before


def test_texts_that_are_no_unicode_do_not_stop_the_others(database: Path) -> None:
    """A name with a byte of its own is a name still."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE states_meta SET entity_id = CAST(x'6C696768742EFF' AS TEXT) WHERE "
            "metadata_id = 2"
        )
    (piece,) = pieces(database)
    assert "light.\ufffd" in piece.table["metric"].to_pylist()


def test_log_that_was_copied_along_is_read_and_nothing_is_left_beside_it(
    database: Path, tmp_path: Path
) -> None:
    """What SQLite makes to read it is gone."""
    copy = tmp_path / "copy" / database.name
    copy.parent.mkdir()
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("UPDATE states SET state = '5' WHERE state = '21.5'")
        for end in ("", "-wal"):
            shutil.copy(f"{database}{end}", f"{copy}{end}")
    assert 5.0 in pieces(copy)[0].table["value"].to_pylist()
    assert sorted(one.name for one in copy.parent.iterdir()) == [copy.name, f"{copy.name}-wal"]
