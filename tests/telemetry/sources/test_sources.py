"""Finding out what a file is, folders, and that what we export comes back as it was."""

import gzip
from collections.abc import Iterator
from datetime import UTC, tzinfo
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.export import ExportQuery, subject
from telemetry.reading import Flag, Series
from telemetry.shape import Shape
from telemetry.sources import Form, Options, SourceError, open_source
from telemetry.sources.detect import detect
from telemetry.sources.names import unguarded
from telemetry.sources.pipeline import ahead
from telemetry.sources.values import read_value
from telemetry.store.csv_text import csv_long
from telemetry.store.parquet import parquet_bytes
from telemetry.store.rendering import rendered
from telemetry.text import csv_wide
from telemetry.window import Window
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill, reading, steady

NOON = "2026-11-23T12:00:00Z"

names = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=8)
client_names = names.filter(lambda name: unguarded(name) == name)
states = client_names.filter(lambda text: read_value(text).state == text)
numbers = st.floats(allow_nan=False, allow_infinity=False)
moments = st.integers(946_684_800_000_000, 4_102_444_799_999_999)
flags = st.integers(0, 4095)
readings = st.lists(
    st.tuples(moments, client_names, client_names, numbers | states, moments, flags), max_size=20
)
Row = tuple[int, str, str, float | str, int, int]


def part_of(rows: list[Row], unit: str = "°C") -> pd.DataFrame:
    """A piece as `telemetry.export_rows.export_rows` yields it."""
    frame = pd.DataFrame({"time_us": pd.Series([row[0] for row in rows], dtype="int64")})
    frame["client"] = pd.Series([row[1] for row in rows], dtype=object)
    frame["metric"] = pd.Series([row[2] for row in rows], dtype=object)
    value = [float("nan") if isinstance(row[3], str) else row[3] for row in rows]
    frame["value"] = pd.Series(value, dtype="float64")
    text = [row[3] if isinstance(row[3], str) else None for row in rows]
    frame["text"] = pd.Series(text, dtype=object)
    frame["unit"] = unit
    frame["received_us"] = pd.Series([row[4] for row in rows], dtype="int64")
    frame["flags"] = pd.Series([row[5] for row in rows], dtype="int64")
    return frame


def imported(content: bytes, name: str, options: Options | None = None) -> list[Row]:
    """What a file with that content comes to; none of its rows is bad."""
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        pieces = list(open_source(path, options or Options()))
    assert [piece.bad for piece in pieces if piece.bad] == []
    return [
        (row["time_us"], row["client"], row["metric"],
         row["value"] if row["text"] is None else row["text"], row["received_us"],
         row["flags"] & ~Flag.IMPORTED)
        for piece in pieces for row in piece.table.to_pylist()
    ]  # fmt: skip


def expected(rows: list[Row]) -> list[Row]:
    """The readings as they come back: imported or not is no longer told apart."""
    return [(*row[:5], row[5] & ~Flag.IMPORTED.value) for row in rows]


@steady
@given(readings, st.sampled_from([UTC, ZoneInfo("Europe/Berlin")]))
def test_long_csv_of_ours_comes_back_as_it_was(rows: list[Row], zone: tzinfo) -> None:
    """Every bit of every reading, whatever its names and states are, in any zone."""
    content = "".join(csv_long([part_of(rows)], (), zone)).encode()
    assert imported(content, "any.csv") == expected(rows)


@steady
@given(readings)
def test_parquet_of_ours_comes_back_as_it_was(rows: list[Row]) -> None:
    """The same; of delays the milliseconds."""
    content = b"".join(parquet_bytes([part_of(rows)], ()))
    whole = [
        (*row[:4], row[0] + (row[4] - row[0]) // 1000 * 1000, row[5]) for row in expected(rows)
    ]
    assert imported(content, "any.parquet") == whole


@steady
@given(
    st.lists(
        st.tuples(moments, st.sampled_from(["a b", "=x", "t"]), numbers | states),
        min_size=1,
        max_size=20,
    )
)
def test_wide_csv_of_ours_comes_back_as_it_was(cells: list[tuple[int, str, float | str]]) -> None:
    """Times, metrics and values; the wide layout has nothing else."""
    rows: list[Row] = [(time_us, "c", metric, value, 0, 0) for time_us, metric, value in cells]
    units = {"a b": "°C", "=x": "", "t": "%"}
    content = "".join(csv_wide([part_of(rows)], units, (), UTC)).encode()
    found = imported(content, "c.csv")
    assert sorted((row[:4] for row in found), key=repr) == sorted(
        (row[:4] for row in rows), key=repr
    )


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("a.csv", Shape("csv", "long", UTC)),
        ("boiler.csv", Shape("csv", "wide", ZoneInfo("Asia/Kathmandu"))),
        ("a.parquet", Shape("parquet", "long", UTC)),
    ],
)
def test_export_of_a_store_comes_back(tmp_path: Path, name: str, shape: Shape) -> None:
    """What `python -m telemetry export` writes, means and all, can be imported."""
    some = [
        *(reading(NOON_US + n * SECOND_US, -n / 7, unit="°C", flags=Flag.LATE) for n in range(50)),
        reading(NOON_US + 7, "-dash", series=Series("boiler", "state")),
    ]
    query = ExportQuery("boiler", Window(NOON_US, NOON_US + 60 * SECOND_US), spans=["5m"])
    with asking(fill(tmp_path / "culex.db", some)) as querier:
        content = b"".join(rendered(querier, query, subject(querier, query), shape))
    found = imported(content, name)
    assert {row[:4] for row in found} == {(one.time_us, *one.series, one.value) for one in some}


@pytest.mark.parametrize(
    ("content", "name", "form"),
    [
        (b"time,a=b\n", "x", Form.CSV),
        (f"time,t\n{NOON},1\n".encode(), "x.lp.csv", Form.CSV),
        (b"m,t=1 f=1 17\n", "x.csv", Form.INFLUX),
        (b"\n# c\nm f=1\n", "x", Form.INFLUX),
        (gzip.compress(b"m f=1 17\n", mtime=0), "x.gz", Form.INFLUX),
        (b"nonsense", "x.lp", Form.INFLUX),
        (b"PAR1", "x.csv", Form.PARQUET),
        (b"SQLite format 3\0", "x", Form.HOME_ASSISTANT),
        ("time;t\n".encode("utf-16"), "x", Form.CSV),
        (b"", "x", Form.CSV),
    ],
)
def test_kind_of_file_follows_from_what_stands_in_it(
    tmp_path: Path, content: bytes, name: str, form: Form
) -> None:
    """Content goes before the name."""
    path = tmp_path / name
    path.write_bytes(content)
    assert detect(path) == form


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" * 9,
        bytes(5000),
        b"\x7fELF\x02\x01\x01\x00\x00\x00\x00",
        b"PK\x03\x04\x14\x00\x06",
    ],
)
def test_foreign_binary_is_refused(tmp_path: Path, content: bytes) -> None:
    """A picture, nothing but zeros, a program, an archive."""
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"x\.csv: this is no file of readings"):
        list(open_source(path, Options()))


def test_folder_is_every_file_in_it_by_name(tmp_path: Path) -> None:
    """Folders in it too; other files are passed over; each piece says whose it is."""
    inner = tmp_path / "b"
    inner.mkdir()
    (tmp_path / "c.csv").write_text(f"time,t\n{NOON},3\nsoon,1\n")
    (inner / "a.csv.gz").write_bytes(gzip.compress(f"time,t\n{NOON},2\n".encode()))
    (tmp_path / "a.lp").write_text(f"m f=1 {NOON_US}000\n")
    (tmp_path / "readme.md").write_text("no")
    table = {"time": pa.array([NOON_US], pa.timestamp("us")), "t": [4.0]}
    pq.write_table(pa.table(table), tmp_path / "d.parquet")
    pieces = list(open_source(tmp_path, Options()))
    assert [piece.path.name for piece in pieces] == ["a.lp", "a.csv.gz", "c.csv", "d.parquet"]
    assert [piece.table["value"][0].as_py() for piece in pieces] == [1.0, 2.0, 3.0, 4.0]
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(SourceError, match="there is no file to import"):
        list(open_source(empty, Options()))


def test_form_may_be_forced(tmp_path: Path) -> None:
    """An option goes before content and name."""
    path = tmp_path / "x.csv"
    path.write_text(f"m f=1 {NOON_US}000\n")
    with pytest.raises(SourceError, match="no column is the time"):
        list(open_source(path, Options(form=Form.CSV)))


def test_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    """As `one_sentence` expects it."""
    with pytest.raises(FileNotFoundError):
        list(open_source(tmp_path / "none.csv", Options()))


def test_work_ahead_fails_where_it_fails() -> None:
    """What came before is given first, also when the items themselves end in an error."""

    def items() -> Iterator[int]:
        yield from range(20)
        raise SourceError("end")

    found: list[int] = []
    with pytest.raises(SourceError, match="end"):
        found.extend(ahead(abs, items()))
    assert found == list(range(20))
    with pytest.raises(ZeroDivisionError):
        list(ahead(lambda one: 1 // one, range(-2, 5)))
