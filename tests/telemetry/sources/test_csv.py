"""CSV of ours and of others: right readings, right line numbers, and nothing stops the rest."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import telemetry.sources.blocks
from telemetry.reading import Flag
from telemetry.sources import SCHEMA, Options, Piece, SourceError, open_source
from telemetry.window import to_iso

HEADER = "time,client,metric,value,unit,received,flags\n"
NOON = "2026-11-23T12:00:00Z"
NOON_US = 1_795_435_200_000_000
KITCHEN = Options(client="kitchen")
Simple = tuple[str, str, str, float | str | None]


def write(folder: Path, content: str | bytes, name: str = "kitchen.csv") -> Path:
    """A file with that content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pieces(path: Path, options: Options = KITCHEN) -> list[Piece]:
    """Everything a file comes to."""
    found = list(open_source(path, options))
    assert all(piece.table.schema == SCHEMA for piece in found)
    return found


def rows(path: Path, options: Options = KITCHEN) -> list[dict[str, Any]]:
    """The readings of a file."""
    return [row for piece in pieces(path, options) for row in piece.table.to_pylist()]


def simple(path: Path, options: Options = KITCHEN) -> list[Simple]:
    """The readings of a file as client, metric, time of day and value."""
    return [
        (row["client"], row["metric"], to_iso(row["time_us"])[11:19],
         row["text"] if row["value"] is None else row["value"])
        for row in rows(path, options)
    ]  # fmt: skip


def bad(path: Path, options: Options = KITCHEN) -> list[tuple[int, str]]:
    """The bad rows of a file as line and reason."""
    return [(row.line, row.reason) for piece in pieces(path, options) for row in piece.bad]


def test_long_csv_of_ours_is_read_with_everything_it_says(tmp_path: Path) -> None:
    """Times, formulas behind an apostrophe, units, times of receipt and flags come back."""
    text = HEADER + (
        f"{NOON},a,t,21.5,°C,2026-11-23T12:00:01.000001Z,late|simulated\r\n{NOON},a,'=m,'-x,,,\r\n"
    )
    first, second = rows(write(tmp_path, text))
    assert first == {
        "client": "a", "metric": "t", "time_us": NOON_US, "value": 21.5, "text": None,
        "unit": "°C", "received_us": NOON_US + 1_000_001,
        "flags": Flag.LATE | Flag.SIMULATED | Flag.IMPORTED,
    }  # fmt: skip
    assert (second["metric"], second["text"]) == ("=m", "-x")
    assert (second["received_us"], second["unit"], second["flags"]) == (None, "", Flag.IMPORTED)


def test_rolling_means_of_an_export_are_not_read(tmp_path: Path) -> None:
    """What was computed is no reading, in the long and in the wide layout."""
    long = f"{HEADER.strip()},mean_5m,coverage_5m\n{NOON},a,t,1,,,,3,1\n"
    wide = f"time,t [°C],t mean_5m [°C],t coverage_5m\n{NOON},1,3,1\n"
    assert simple(write(tmp_path, long)) == [("a", "t", "12:00:00", 1.0)]
    assert simple(write(tmp_path, wide)) == [("kitchen", "t", "12:00:00", 1.0)]


@pytest.mark.parametrize(
    "text",
    [
        f"Timestamp;Device;Sensor;Value\n{NOON};a;t;21,5\n",
        f"ts\tid\tname\tvalue\n{NOON}\ta\tt\t21.5\n",
        f"date, client, field, value\n{NOON}, a, t, 21.5\n",
        f"sep=;\nvalue;metric;client;time\n21,5;t;a;{NOON}\n",
        f"\ufefftime,client,metric,value\n{NOON},a,t,21.5\n",
        f"\n\ntime,client,metric,value,note\n{NOON},a,t,21.5,x",
        f'"time","client","metric","value"\n"{NOON}","a","t","21.5"\n',
        f"time,client,metric,value,text,delay_ms,flags\n{NOON},a,t,21.5,,0,0\n",
    ],
)
def test_csv_of_others_is_recognised_by_its_names(tmp_path: Path, text: str) -> None:
    """Delimiters, spellings, order, marks at the beginning and quotes do not matter."""
    assert simple(write(tmp_path, text)) == [("a", "t", "12:00:00", 21.5)]


@pytest.mark.parametrize(
    "encoded",
    [f"time;t [°C]\r\n{NOON};1\r\n".encode(code) for code in ("utf-8", "utf-8-sig", "utf-16")]
    + [gzip.compress(f"time,t [°C]\r{NOON},1\r".encode())]
    + ["\ufefftime\tt [°C]\n2026-11-23T12:00:00Z\t1\n".encode("utf-16-be")],
    ids=["utf-8", "utf-8-sig", "utf-16", "gzip", "utf-16-be"],
)
def test_csv_in_every_unicode_and_packed_reads_the_same(tmp_path: Path, encoded: bytes) -> None:
    """Byte order marks, UTF-16, gzip and the line ends of three systems."""
    found = rows(write(tmp_path, encoded))
    assert [(row["metric"], row["unit"], row["value"]) for row in found] == [("t", "°C", 1.0)]


@pytest.mark.parametrize(
    ("text", "assumed"),
    [
        ("2026-11-23T12:00:00Z", False),
        ("2026-11-23T12:00:00.000000000Z", False),
        ("2026-11-23 13:00:00.0+01:00", False),
        ("2026-11-23t12:00:00z", False),
        ("2026-11-23T12:00:00", True),
        ("2026-11-23 12:00", True),
        (" 2026-11-23T12:00:00,000 ", True),
        ("1795435200", False),
        ("1795435200.0", False),
        ("1795435200000", False),
        ("1795435200000000", False),
        ("1795435200000000000", False),
    ],
)
def test_time_in_any_notation_is_the_same(tmp_path: Path, text: str, assumed: bool) -> None:
    """ISO 8601 and numbers in any unit, alone in a column and among others."""
    flags = Flag.IMPORTED | (Flag.ZONE_ASSUMED if assumed else 0)
    alone = write(tmp_path, f'time;t\n"{text}";1\n')
    mixed = write(tmp_path, f'time;t\n17;0\n"{text}";1\n2026-11-23T13:00:00+00:30;2\n', "b.csv")
    assert [(row["time_us"], row["flags"]) for row in rows(alone)] == [(NOON_US, flags)]
    assert (rows(mixed)[0]["time_us"], rows(mixed)[0]["flags"]) == (NOON_US, flags)
    assert len(rows(mixed)) == 2


def test_local_time_is_read_in_the_zone_the_first_of_an_hour_that_comes_twice(
    tmp_path: Path,
) -> None:
    """Summer time, winter time, the hour that comes twice and the one that never is."""
    text = "time,t\n2026-07-01 12:00,1\n2026-12-01 12:00,2\n2026-10-25 02:30,3\n2026-03-29 02:30,4"
    options = Options(client="a", zone=ZoneInfo("Europe/Berlin"))
    found = [to_iso(row["time_us"])[5:16] for row in rows(write(tmp_path, text), options)]
    assert found == ["07-01T10:00", "12-01T11:00", "10-25T00:30", "03-29T01:30"]


def test_value_means_what_it_means_to_the_collector(tmp_path: Path) -> None:
    """Numbers, words for yes and no, states; an integer that no double holds is flagged."""
    cells = ["1e3", "+5", "ON", "false", "heating", "1.2.3", str(2**53 + 1), str(2**53), ".5"]
    piece, *_ = pieces(write(tmp_path, "time,t\n" + "".join(f"{NOON},{cell}\n" for cell in cells)))
    found = piece.table.to_pylist()
    assert [row["text"] or row["value"] for row in found] == [
        1000.0, 5.0, 1.0, 0.0, "heating", "1.2.3", 2.0**53, 2.0**53, 0.5
    ]  # fmt: skip
    assert [bool(row["flags"] & Flag.INEXACT) for row in found] == [n == 6 for n in range(9)]
    assert piece.booleans is not None
    assert piece.booleans.to_pylist() == [n in (2, 3) for n in range(9)]


BAD = [
    ("soon,a,t,1", "bad-time"),
    (",a,t,1", "bad-time"),
    ("2026-02-30T00:00:00Z,a,t,1", "bad-time"),
    ("1999-12-31T23:59:59Z,a,t,1", "clock-unset"),
    ("12,a,t,1", "clock-unset"),
    ("2150-01-01T00:00:00Z,a,t,1", "future"),
    ("99999999999999999999999,a,t,1", "bad-time"),
    (f"{NOON},,t,1", "no-client"),
    (f"{NOON},broker,t,1", "reserved"),
    (f"{NOON},{'x' * 257},t,1", "long-name"),
    (f"{NOON},a,,1", "no-metric"),
    (f"{NOON},a,t\x00,1", "control-character"),
    (f"{NOON},a,t,", "empty"),
    (f"{NOON},a,t,NaN", "non-finite"),
    (f"{NOON},a,t,-inf", "non-finite"),
    (f"{NOON},a,t,1e999", "non-finite"),
    (f'{NOON},a,t,"21,5"', "decimal-comma"),
    (f"{NOON},a,t,21.5 °C", "malformed-number"),
    (f"{NOON},a,t,0x1F", "malformed-number"),
    (f"{NOON},a,t,{'s' * 65}", "long-text"),
    (f"{NOON},a,t,\x00x", "control-character"),
    (f"{NOON},a,t,1,2", "malformed-row"),
    (f"{NOON},a,t", "malformed-row"),
    ('"', "malformed-row"),
    ("x" * 1_000_000, "malformed-row"),
    ("\x00" * 5000, "malformed-row"),
]


@pytest.mark.parametrize(
    ("row", "reason"), BAD, ids=[f"{n}-{why}" for n, (_, why) in enumerate(BAD)]
)
def test_bad_row_is_reported_with_its_line_and_costs_only_itself(
    tmp_path: Path, row: str, reason: str
) -> None:
    """Whatever a row holds, those around it are read and it has the line an editor shows."""
    good = f"{NOON},a,t,1\n"
    text = f"time,client,metric,value\n{good}\n{good}{row}\n{good}"
    found = pieces(write(tmp_path, text))
    assert [(b.line, b.reason) for piece in found for b in piece.bad] == [(5, reason)]
    assert sum(piece.table.num_rows for piece in found) == 3
    assert all(len(b.sample) <= 100 for piece in found for b in piece.bad)


def test_every_bad_row_together_is_reported_line_by_line(tmp_path: Path) -> None:
    """A file of nothing but faults and blank lines has each on its line."""
    lines = [line for row, _ in BAD if row != '"' for line in (row, "", f"{NOON},a,t,on")]
    path = write(tmp_path, "time,client,metric,value\n" + "\r\n".join(lines))
    expected = [(2 + 3 * n, why) for n, (_, why) in enumerate(b for b in BAD if b[0] != '"')]
    assert sorted(bad(path)) == expected
    assert len(rows(path)) == len(expected)


def test_lines_are_right_behind_quoted_line_ends(tmp_path: Path) -> None:
    """A cell that goes over three lines moves what follows, and is no fault itself."""
    header = "time,client,metric,value,note\n"
    text = f'{header}{NOON},a,t,1,"x\n\ny"\n{NOON},a,t,1.x,\n\nsoon,a,t,1,\n'
    path = write(tmp_path, text)
    assert bad(path) == [(5, "malformed-number"), (7, "bad-time")]
    assert len(rows(path)) == 1


def test_lines_are_right_in_small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a block ends is seen in no line number and no reading, whatever the line ends are."""
    for size in (7, 64, 1000):
        monkeypatch.setattr(telemetry.sources.blocks, "BLOCK_BYTES", size)
        for end in ("\n", "\r\n", "\r"):
            lines = ["time,t,note"]
            for number in range(200):
                lines.append(f"{NOON},{'x,y' if number % 50 == 7 else number},é")
                lines += [""] * (number % 3 == 0)
            path = write(tmp_path, end.join(lines))
            expected = [n for n, line in enumerate(lines, 1) if "x,y" in line]
            assert bad(path) == [(n, "malformed-row") for n in expected]
            assert [row["value"] for row in rows(path) if row["metric"] == "t"] == [
                float(n) for n in range(200) if n % 50 != 7
            ]


def test_stray_quotation_marks_cost_their_own_lines_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open quotation mark swallows nothing, also where it is far from the next one."""
    monkeypatch.setattr(telemetry.sources.blocks, "BLOCK_BYTES", 2000)
    lines = ["time,t,note", *(f"{NOON},{n},x" for n in range(2000))]
    for line in (5, 700, 701, 1500):
        lines[line] = f'{NOON},"{line},x'
    path = write(tmp_path, "\n".join(lines))
    assert [line for line, _ in bad(path)] == [6, 701, 702, 1501]
    assert len([row for row in rows(path) if row["metric"] == "t"]) == 1996


def test_wide_csv_has_a_reading_for_each_cell_that_is_not_empty(tmp_path: Path) -> None:
    """Row by row; an empty cell is nothing, a bad one costs itself, a bad time its row once."""
    text = (
        "Time;temperature [°C];state;hum [%]\n"
        f"{NOON};21,5;;40\n{NOON};;on;x,y\nsoon;1;2;3\n;;;\n{NOON};null; ;nan\n"
    )
    path = write(tmp_path, text)
    assert simple(path) == [
        ("kitchen", "temperature", "12:00:00", 21.5),
        ("kitchen", "hum", "12:00:00", 40.0),
        ("kitchen", "state", "12:00:00", 1.0),
        ("kitchen", "hum", "12:00:00", "x,y"),
    ]
    assert bad(path) == [(4, "bad-time"), (6, "non-finite")]
    assert {row["unit"] for row in rows(path)} == {"°C", "%", ""}
    assert pieces(path)[0].bad[1].sample == "hum: nan"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"time,value\n{NOON},1\n", [("kitchen", "value", "12:00:00", 1.0)]),
        (f"time,value,unit\n{NOON},1,W\n", [("kitchen", "value", "12:00:00", 1.0)]),
        (f"time,device,value\n{NOON},a,1\n", [("a", "value", "12:00:00", 1.0)]),
        (
            f"time,value,p\n{NOON},1,2\n",
            [("kitchen", "value", "12:00:00", 1.0), ("kitchen", "p", "12:00:00", 2.0)],
        ),
    ],
)
def test_column_of_values_without_one_of_metrics_is_a_metric(
    tmp_path: Path, text: str, expected: list[Simple]
) -> None:
    """It is called as its column is, unless an option names it."""
    assert simple(write(tmp_path, text), Options()) == expected
    named = Options(metric="power")
    assert simple(write(tmp_path, f"time,device,value\n{NOON},a,1\n"), named)[0][1] == "power"


def test_wide_csv_may_have_a_column_of_clients(tmp_path: Path) -> None:
    """Whose the readings are may stand in each row; the option does not overrule it."""
    path = write(tmp_path, f"device,time,t,h\na,{NOON},1,2\nb,{NOON},3,\n,{NOON},1,1\n")
    assert [row[0] for row in simple(path)] == ["a", "a", "b"]
    assert bad(path) == [(4, "no-client")]


def test_wide_csv_of_ten_thousand_columns_is_read(tmp_path: Path) -> None:
    """Columns without number are columns still, in pieces of bounded size."""
    titles = ",".join(f"m{n}" for n in range(10_000))
    line = NOON + ",1" * 10_000 + "\n"
    found = pieces(write(tmp_path, f"time,{titles}\n{line * 60}"))
    assert sum(piece.table.num_rows for piece in found) == 600_000
    assert max(piece.table.num_rows for piece in found) <= 400_000
    assert found[0].table["metric"][9_999].as_py() == "m9999"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("a,b\n1,2\n", "no column is the time .*'a', 'b'.*--column time=NAME"),
        (f"time,metric,value\n{NOON},t,1\n", "no column says whose readings.*--client"),
        (f"time,t,t\n{NOON},1,2\n", "two columns are called 't'"),
        (f"time,t [°C],t [F]\n{NOON},1,2\n", "two columns are called 't'"),
        (f"time,value,Value\n{NOON},1,2\n", "two columns are called 'value'"),
        ("time\n1\n", "no column is a metric"),
        ("", "is empty"),
        ("\n\n \n", "is empty"),
        (f"time,t [°C]\n{NOON},1\n".encode("latin-1"), r"line 1 is not UTF-8.*Latin-1.*iconv"),
        (f"time,t\n{NOON},1\n{NOON},heiß\n".encode("latin-1"), r"line 3 is not UTF-8.*iconv"),
        (
            f"time,t\n{NOON},1\n".encode() + b"x,y\n" * 400_000 + b"a,\xdf,b\n",
            r"line 400003 is not UTF-8",
        ),
        (bytes(range(256)) * 20, "no file of readings"),
        (f"time,{'x' * 300}\n{NOON},1\n", "no metric can be called.*long-name"),
        ("time,t\n".encode("utf-16") + b"\x00", "begins as UTF-16 and is not"),
    ],
)  # fmt: skip
def test_csv_that_cannot_be_read_says_what_to_do(
    tmp_path: Path, content: str | bytes, sentence: str
) -> None:
    """One sentence with the name of the file, and no stack."""
    path = write(tmp_path, content, "some.csv")
    with pytest.raises(SourceError, match=f"(?s)some.csv: .*{sentence}"):
        pieces(path, Options())


def test_gzip_with_a_wrong_byte_gives_nothing(tmp_path: Path) -> None:
    """Its checksum is at its end, and what comes before may be anything."""
    text = "time,client,metric,value\n" + "".join(
        f"{NOON},a,m{n},{n * 7919 % 1000}\n" for n in range(5000)
    )
    packed = bytearray(gzip.compress(text.encode(), 1))
    packed[len(packed) // 2] ^= 0x10
    path = tmp_path / "a.csv.gz"
    path.write_bytes(packed)
    with pytest.raises(SourceError, match="gzip data"):
        next(open_source(path, Options()))


def test_gzip_with_something_behind_it_gives_what_was_packed_and_says_so(tmp_path: Path) -> None:
    """As when two files were put together by mistake."""
    path = tmp_path / "a.csv.gz"
    text = f"time,client,metric,value\n{NOON},a,t,1\n"
    path.write_bytes(gzip.compress(text.encode()) + b"garbage here")
    with pytest.raises(SourceError, match="gzip data"):
        list(open_source(path, Options()))


def test_truncated_gzip_gives_what_was_whole_and_says_so(tmp_path: Path) -> None:
    """What can be unpacked is read; the end is an error."""
    noise = np.random.default_rng(1).random(300_000)
    text = "time,t\n" + "".join(f"{NOON},{value!r}\n" for value in noise.tolist())
    whole = gzip.compress(text.encode(), 1)
    path = write(tmp_path, whole[: len(whole) * 2 // 3], "kitchen.csv.gz")
    found: list[Piece] = []
    with pytest.raises(SourceError, match=r"kitchen\.csv\.gz: its gzip data is cut off"):
        found.extend(open_source(path, Options()))
    assert sum(piece.table.num_rows for piece in found) > 100_000
    with pytest.raises(SourceError, match="gzip data is cut off"):
        pieces(write(tmp_path, whole[:15], "b.csv.gz"))


def test_bad_rows_beyond_a_thousand_are_counted(tmp_path: Path) -> None:
    """The first are reported, all are counted, and the rest is read."""
    text = "time,t\n" + f"soon,1\n{NOON},1\n" * 60_000
    found = pieces(write(tmp_path, text))
    reported = [row.line for piece in found for row in piece.bad]
    assert reported == [2 + 2 * n for n in range(1000)]
    assert sum(piece.bad_count for piece in found) == 60_000
    assert sum(piece.table.num_rows for piece in found) == 60_000


def test_million_duplicates_and_a_state_in_the_middle_come_in_pieces(tmp_path: Path) -> None:
    """Mixed types and duplicates are read as they stand; no piece is too large."""
    row = f"{NOON},1\n"
    text = f"time,t\n{row * 600_000}{NOON},off-line\n{row * 400_000}"
    found = pieces(write(tmp_path, text))
    sizes = [piece.table.num_rows for piece in found]
    assert sum(sizes) == 1_000_001
    assert max(sizes) < 500_000
    texts = [text for piece in found for text in piece.table["text"].drop_null().to_pylist()]
    assert texts == ["off-line"]


def test_line_without_end_is_one_bad_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line longer than memory is worth is skipped, and what follows has the right number."""
    monkeypatch.setattr(telemetry.sources.blocks, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(telemetry.sources.blocks, "LONGEST_LINE", 5000)
    path = write(tmp_path, f"time,t\n{NOON},1\n{'1,' * 50_000}\n{NOON},2\nsoon,3\n")
    assert bad(path) == [(3, "malformed-row"), (5, "bad-time")]
    assert [row["value"] for row in rows(path)] == [1.0, 2.0]


def test_columns_may_be_named_by_options(tmp_path: Path) -> None:
    """What no name tells can be said."""
    path = write(tmp_path, f"when,who,what,level\n{NOON},a,t,1\n")
    roles: Sequence[tuple[str, str]] = [("time", "When"), ("client", "who"), ("metric", "what")]
    options = Options(columns=(*roles, ("value", "level")))
    assert simple(path, options) == [("a", "t", "12:00:00", 1.0)]
    with pytest.raises(SourceError, match="there is no column 'x'"):
        pieces(path, Options(columns=(("time", "x"),)))
