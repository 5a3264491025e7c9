"""Parquet of ours and of others, whole and damaged."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from telemetry.reading import Flag
from telemetry.sources import SCHEMA, Options, Piece, SourceError, open_source
from telemetry.sources.piece import NAME

NOON_US = 1_795_435_200_000_000
KITCHEN = Options(client="kitchen")
UTC = pa.timestamp("us", tz="UTC")


def write(folder: Path, columns: "dict[str, pa.Array | list[object]] | pa.Table") -> Path:
    """A Parquet file with these columns."""
    path = folder / "kitchen.parquet"
    pq.write_table(pa.table(columns) if isinstance(columns, dict) else columns, path)
    return path


def pieces(path: Path, options: Options = KITCHEN) -> list[Piece]:
    """Everything a file comes to."""
    found = list(open_source(path, options))
    assert all(piece.table.schema == SCHEMA for piece in found)
    return found


def rows(path: Path, options: Options = KITCHEN) -> list[dict[str, Any]]:
    """The readings of a file."""
    return [row for piece in pieces(path, options) for row in piece.table.to_pylist()]


def bad(path: Path, options: Options = KITCHEN) -> list[tuple[int, str]]:
    """The bad rows of a file as row and reason."""
    return [(row.line, row.reason) for piece in pieces(path, options) for row in piece.bad]


def test_block_of_ours_is_read_as_it_is(tmp_path: Path) -> None:
    """Numbers, states, delays and flags; the clients that Culex is itself as well."""
    path = write(
        tmp_path,
        {
            "client": pa.array(["broker", "a"]).cast(NAME),
            "metric": pa.array(["t", " s "]).cast(NAME),
            "time": pa.array([NOON_US, NOON_US + 1], UTC),
            "value": pa.array([21.5, None], pa.float64()),
            "text": pa.array([None, "heating"]),
            "delay_ms": pa.array([0, 1500], pa.int64()),
            "flags": pa.array([0, 17], pa.int32()),
        },
    )
    first, second = rows(path)
    assert (first["client"], first["value"], first["text"]) == ("broker", 21.5, None)
    assert (first["received_us"], first["flags"]) == (NOON_US, Flag.IMPORTED)
    assert (second["metric"], second["value"], second["text"]) == (" s ", None, "heating")
    assert (second["received_us"], second["flags"]) == (NOON_US + 1_500_001, 17 | Flag.IMPORTED)


@pytest.mark.parametrize(
    ("times", "assumed"),
    [
        (pa.array([NOON_US // 1_000_000], pa.timestamp("s", tz="Europe/Berlin")), False),
        (pa.array([NOON_US // 1000], pa.timestamp("ms")), True),
        (pa.array([NOON_US * 1000 + 999], pa.timestamp("ns", tz="UTC")), False),
        (pa.array([NOON_US // 1000], pa.int64()), False),
        (pa.array([NOON_US // 1_000_000], pa.uint32()), False),
        (pa.array([NOON_US / 1e6], pa.float64()), False),
        (pa.array(["2026-11-23T12:00:00"]), True),
        (pa.array(["2026-11-23T12:00:00Z"]).dictionary_encode(), False),
    ],
)
def test_time_of_any_type_is_the_same(tmp_path: Path, times: pa.Array, assumed: bool) -> None:
    """Timestamps of all units, with a zone or without, numbers and texts."""
    row = rows(write(tmp_path, {"ts": times, "t": [1]}))[0]
    assert (row["time_us"], bool(row["flags"] & Flag.ZONE_ASSUMED)) == (NOON_US, assumed)


def test_dates_and_local_times_are_read_in_the_zone(tmp_path: Path) -> None:
    """A date is its midnight there."""
    path = write(tmp_path, {"date": pa.array([date(2026, 11, 23)]), "t": [1]})
    options = Options(client="a", zone=ZoneInfo("Europe/Berlin"))
    assert rows(path, options)[0]["time_us"] == NOON_US - 13 * 3_600_000_000


def test_frame_of_pandas_is_read_by_its_only_time(tmp_path: Path) -> None:
    """A wide frame with an index of times; NaN and null are no reading, other types are said."""
    frame = pd.DataFrame(
        {"t [°C]": [1.5, np.nan, np.inf], "on": [True, False, True], "n": [2**53 + 1, 1, 2],
         "raw": [b"x", b"y", b"z"]},
        index=pd.to_datetime(NOON_US + np.arange(3), unit="us", utc=True),
    )  # fmt: skip
    frame.to_parquet(tmp_path / "boiler.parquet")
    path = tmp_path / "boiler.parquet"
    found = rows(path, Options())
    assert [(row["client"], row["metric"], row["value"]) for row in found] == [
        ("boiler", "t", 1.5), ("boiler", "on", 1.0), ("boiler", "n", 2.0**53),
        ("boiler", "on", 0.0), ("boiler", "n", 1.0), ("boiler", "on", 1.0), ("boiler", "n", 2.0),
    ]  # fmt: skip
    assert [bool(row["flags"] & Flag.INEXACT) for row in found] == [n == 2 for n in range(7)]
    assert bad(path, Options()) == [(1, "unsupported-column"), (3, "non-finite")]
    booleans = pieces(path, Options())[0].booleans
    assert booleans is not None
    assert booleans.to_pylist() == [row["metric"] == "on" for row in found]


def test_long_table_of_others_is_read_and_bad_rows_are_numbered(tmp_path: Path) -> None:
    """Values as decimals and as texts, names as numbers; nulls are faults."""
    path = write(
        tmp_path,
        {
            "Timestamp": pa.array([NOON_US, None, NOON_US, NOON_US], UTC),
            "device": pa.array([7, 7, None, 7]),
            "sensor": pa.array(["t", "t", "t", None]),
            "value": pa.array([Decimal("1.5")] * 4, pa.decimal128(10, 2)),
        },
    )
    assert [(row["client"], row["value"]) for row in rows(path)] == [("7", 1.5)]
    assert bad(path) == [(2, "bad-time"), (3, "no-client"), (4, "no-metric")]
    path = write(tmp_path, {"time": [NOON_US] * 3, "metric": ["t"] * 3, "value": ["1", "x", "1,5"]})
    assert [row["value"] or row["text"] for row in rows(path)] == [1.0, "x"]
    assert bad(path) == [(3, "decimal-comma")]


def test_row_numbers_go_on_from_batch_to_batch(tmp_path: Path) -> None:
    """A bad row far down has its number, and pieces are of bounded size."""
    values = np.ones(500_000)
    values[[3, 499_999]] = np.nan
    table = {"time": pa.array(np.full(500_000, NOON_US), UTC), "metric": ["t"] * 500_000}
    path = write(tmp_path, {**table, "value": pa.array(values)})
    found = pieces(path)
    assert [row.line for piece in found for row in piece.bad] == [4, 500_000]
    assert max(piece.table.num_rows for piece in found) < 300_000


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"a": [1]}, "no column is the time"),
        ({"time": [[1]], "t": [1]}, "its times are of type list"),
        ({"time": [NOON_US], "metric": ["t"], "value": [[1]]}, "its values are of type list"),
        ({"time": [NOON_US], "metric": ["t"], "value": [1]}, "no column says whose"),
    ],
)
def test_parquet_whose_columns_do_not_fit_says_so(
    tmp_path: Path, columns: dict[str, list[object]], sentence: str
) -> None:
    """One sentence with the name of the file."""
    options = Options() if sentence.startswith("no column says") else KITCHEN
    path = write(tmp_path, columns)
    with pytest.raises(SourceError, match=f"kitchen.parquet: {sentence}"):
        pieces(path, options)


def test_truncated_parquet_says_so(tmp_path: Path) -> None:
    """Half a file, a file of nothing and a text by that name are one sentence."""
    path = write(tmp_path, {"time": [NOON_US] * 1000, "t": [1.5] * 1000})
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"", b"time,t\n", whole[:-4] + b"XXXX"):
        path.write_bytes(content)
        with pytest.raises(SourceError, match=r"kitchen\.parquet: it is no Parquet file"):
            pieces(path)


def test_parquet_damaged_inside_says_so(tmp_path: Path) -> None:
    """Pages that cannot be read are one sentence."""
    noise = np.random.default_rng(1).random(50_000)
    path = write(tmp_path, {"time": pa.array(np.full(50_000, NOON_US), UTC), "t": noise})
    content = bytearray(path.read_bytes())
    content[1000:200_000] = bytes(199_000)
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"kitchen\.parquet: it is damaged"):
        pieces(path)
