"""Line protocol as InfluxDB exports it and as people write it."""

import gzip
from pathlib import Path
from typing import Any

import pytest

import telemetry.sources.blocks
from collector.decoded import Place
from collector.formats.influx import decode_influx
from telemetry.reading import Flag
from telemetry.sources import SCHEMA, Form, Options, Piece, Precision, open_source

NOON_US = 1_795_435_200_000_000
NOON = NOON_US * 1000
Simple = tuple[str, str, float | str | None]


def write(folder: Path, content: str | bytes, name: str = "some.lp") -> Path:
    """A file with that content."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def pieces(path: Path, options: Options | None = None) -> list[Piece]:
    """Everything a file comes to."""
    found = list(open_source(path, options or Options()))
    assert all(piece.table.schema == SCHEMA for piece in found)
    return found


def rows(path: Path, options: Options | None = None) -> list[dict[str, Any]]:
    """The readings of a file."""
    return [row for piece in pieces(path, options) for row in piece.table.to_pylist()]


def simple(path: Path, options: Options | None = None) -> list[Simple]:
    """The readings of a file as client, metric and value."""
    return [
        (row["client"], row["metric"], row["text"] if row["value"] is None else row["value"])
        for row in rows(path, options)
    ]


def bad(path: Path) -> list[tuple[int, str]]:
    """The bad rows of a file as line and reason."""
    return [(row.line, row.reason) for piece in pieces(path) for row in piece.bad]


EXPORT = f"""# INFLUXDB EXPORT: 1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z
# DDL
CREATE DATABASE home WITH NAME autogen
# DML
# CONTEXT-DATABASE:home
# CONTEXT-RETENTION-POLICY:autogen
# writing tsm data
air,host=pi,room=lab temp=21.5 {NOON}
air,host=pi,room=lab temp=22 {NOON + 1_000_000}
air,host=pi value=3i {NOON}
"""


@pytest.mark.parametrize("name", ["a.lp", "a.lp.gz", "a.txt", "export"])
def test_export_of_influxdb_is_read_whatever_its_name(tmp_path: Path, name: str) -> None:
    """Comments and statements are passed over; tags that name the client are not in the metric."""
    content = gzip.compress(EXPORT.encode()) if name.endswith("gz") else EXPORT.encode()
    path = write(tmp_path, content, name)
    assert simple(path) == [
        ("pi", "air.temp{room=lab}", 21.5), ("pi", "air.temp{room=lab}", 22.0), ("pi", "air", 3.0)
    ]  # fmt: skip
    assert [row["time_us"] for row in rows(path)] == [NOON_US, NOON_US + 1000, NOON_US]
    assert bad(path) == []


LINES = [
    "air,room=lab,device=a temp=21.5,rh=40i,n=3u",
    "air,device=a open=t,shut=FALSE",
    r"my\ air,device=a,ro\,om=l\=ab te\ mp=1",
    r'air,device=a s="say \"hi\"",p="C:\\x" ',
    "air,device=a value=-1.5e-3",
    '  air,device=a  s="heating"',
    'air,device=a n="21.5",b="on"',
    "air,device=a big=9007199254740993i",
]


@pytest.mark.parametrize("line", LINES)
def test_line_means_what_it_means_to_the_collector(tmp_path: Path, line: str) -> None:
    """Metrics, values and flags are those of the decoder for messages."""
    decoded = decode_influx(f"{line} {NOON}".encode(), Place("t", "a"), {})
    found = rows(write(tmp_path, f"{line} {NOON}\n"), Options(form=Form.INFLUX))
    assert not decoded.faults
    assert [(row["metric"], row["text"] or row["value"]) for row in found] == [
        (one.metric, one.value) for one in decoded.measurements
    ]
    assert [row["flags"] for row in found] == [
        one.flags | Flag.IMPORTED for one in decoded.measurements
    ]


@pytest.mark.parametrize(
    ("line", "options", "expected"),
    [
        ("m,client=c,device=d,host=h f=1", Options(), ("c", "m.f{device=d,host=h}", 1.0)),
        ("m,topic=a/b,x=1 f=1", Options(), ("a/b", "m.f{x=1}", 1.0)),
        ("m,x=1 f=1", Options(), ("m", "f{x=1}", 1.0)),
        ("m value=1", Options(), ("m", "value", 1.0)),
        ("m,x=1 f=1", Options(client="k"), ("k", "m.f{x=1}", 1.0)),
        ("m,x=1,host=h f=1", Options(client_tag="x"), ("1", "m.f{host=h}", 1.0)),
        ("m,host=h f=1", Options(client_tag="x"), ("m", "f{host=h}", 1.0)),
    ],
)
def test_client_is_a_tag_or_the_measurement(
    tmp_path: Path, line: str, options: Options, expected: Simple
) -> None:
    """The usual tags in their order, the one that was named, the option, else the measurement."""
    assert simple(write(tmp_path, f"{line} {NOON}"), options) == [expected]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("air temp=21.5", "no-time"),
        ("air temp=21.5 soon", "bad-time"),
        ("air temp=21.5 1", "clock-unset"),
        (f"air temp=21.5 {10**20}", "bad-time"),
        (f"air temp=21.5 {9 * 10**18}", "future"),
        (f"air temp=21,5 {NOON}", "malformed-line"),
        (f"air temp= {NOON}", "empty"),
        (f"air temp=warm {NOON}", "malformed-number"),
        (f"air temp=1.5i {NOON}", "malformed-number"),
        (f"air temp=NaN {NOON}", "non-finite"),
        (f'air s="" {NOON}', "empty"),
        (f'air s="open {NOON}', "malformed-line"),
        (f'air s="a\tb" {NOON}', "control-character"),
        ("air", "malformed-line"),
        (f",a=b temp=1 {NOON}", "malformed-line"),
        (f"broker temp=1 {NOON}", "reserved"),
        (f"air {'x' * 300}=1 {NOON}", "long-name"),
        ("x" * 1_000_000, "malformed-line"),
        ("\x00" * 1000, "malformed-line"),
    ],
)
def test_bad_line_is_reported_and_costs_only_itself(tmp_path: Path, line: str, reason: str) -> None:
    """Whatever a line holds, those around it are read."""
    good = f"air temp=1 {NOON}\n"
    path = write(tmp_path, f"{good}\n# no\n{line}\r\n{good}{good}")
    assert bad(path) == [(4, reason)]
    assert len(rows(path)) == 3


def test_text_over_several_lines_is_one_value_that_no_state_has(tmp_path: Path) -> None:
    """A line end in quotes takes the next line with it; what follows is counted right."""
    text = f'air s="a\nb",t=1 {NOON}\nair t=2 {NOON}\nair t=x {NOON}\n'
    path = write(tmp_path, text)
    assert bad(path) == [(1, "control-character"), (4, "malformed-number")]
    assert [value for _, _, value in simple(path)] == [1.0, 2.0]


def test_lines_are_right_in_small_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a block ends is seen nowhere."""
    monkeypatch.setattr(telemetry.sources.blocks, "BLOCK_BYTES", 100)
    lines = [f"air t={'x' if n % 40 == 3 else n} {NOON + n}" for n in range(200)]
    path = write(tmp_path, "\n".join(lines))
    assert [line for line, _ in bad(path)] == [4, 44, 84, 124, 164]
    assert len(rows(path)) == 195


@pytest.mark.parametrize(
    ("precision", "time"),
    [("ns", NOON), ("us", NOON_US), ("ms", NOON_US // 1000), ("s", NOON_US // 1_000_000)],
)
def test_precision_says_what_times_are_in(tmp_path: Path, precision: str, time: int) -> None:
    """Nanoseconds unless something else is said."""
    path = write(tmp_path, f"air t=1 {time}")
    assert rows(path, Options(precision=Precision(precision)))[0]["time_us"] == NOON_US
