"""Exports from a real store: every format says the same, and the first mean is whole."""

import csv
import io
import json
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_series_equal

import telemetry.export_rows
from telemetry.batch import Batch
from telemetry.export import ExportQuery, UnknownClient, UnknownMetric, subject
from telemetry.export_rows import export_rows
from telemetry.interface import Answer, Querier, Snapshot, StreamQuery
from telemetry.job import Retain, Seal
from telemetry.reading import Flag, Kind, Reading, Series
from telemetry.retention import Keep, Retention
from telemetry.rolling import rolling
from telemetry.samples import samples_of_readings
from telemetry.store import open_appender, part
from telemetry.store.appender import StoreAppender
from telemetry.store.csv_text import csv_long
from telemetry.store.parquet import parquet_bytes
from telemetry.store.snapshot import StoreSnapshot
from telemetry.text import csv_wide, json_array
from telemetry.window import DAY_US, HOUR_US, TimeError, Window
from tests.telemetry.builders import NOON_US, SECOND_US, SERIES, asking, decoded, fill, reading

MINUTE_US = 60 * SECOND_US
Values = set[tuple[int, str, float | str]]


def measured() -> list[Reading]:
    """Awkward values: states, formulas, crowded instants, extremes, negatives."""
    state, power = Series("boiler", "state"), Series("boiler", "power")
    return [
        *(reading(NOON_US + n * SECOND_US, 20 + n / 7, unit="°C") for n in range(50)),
        *(reading(NOON_US + n * SECOND_US, -0.1 * n, series=power) for n in range(0, 50, 3)),
        reading(NOON_US, 1e-300, series=power, flags=Flag.LATE, delay_us=5 * MINUTE_US),
        reading(NOON_US, 1.7e308, series=power),
        reading(NOON_US + 7, "=cmd", series=state),
        reading(NOON_US + 7, 'say "hi", twice', series=state),
    ]


WINDOW = Window(NOON_US, NOON_US + MINUTE_US)
EXPECTED: Values = {(one.time_us, one.series.metric, one.value) for one in measured()}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store of what was measured."""
    return fill(tmp_path / "culex.db", measured())


def frames(path: Path, query: ExportQuery) -> list[pd.DataFrame]:
    """The parts of an export."""
    with asking(path) as querier:
        return list(export_rows(querier, query, subject(querier, query)))


def whole(path: Path, query: ExportQuery) -> pd.DataFrame:
    """The parts of an export as one frame."""
    return pd.concat(frames(path, query), ignore_index=True)


def time_of(text: str) -> int:
    """Microseconds since 1970 of an exported time."""
    return pd.Timestamp(text).value // 1000


def plain(text: str) -> float | str:
    """A cell of a CSV as the value it stands for."""
    try:
        return float(text)
    except ValueError:
        return text.removeprefix("'")


def test_export_in_every_format_holds_the_same_values(path: Path) -> None:
    """Long CSV, wide CSV, JSON and Parquet of one query have the same readings, to the bit."""
    query = ExportQuery("boiler", WINDOW)
    with asking(path) as querier:
        about = subject(querier, query)
        long = "".join(csv_long(export_rows(querier, query, about), (), UTC))
        wide = "".join(csv_wide(export_rows(querier, query, about), about.units, (), UTC))
        array = "".join(json_array(export_rows(querier, query, about), (), UTC))
        parquet = b"".join(parquet_bytes(export_rows(querier, query, about), ()))
    rows = csv.DictReader(io.StringIO(long, newline=""))
    assert {(time_of(r["time"]), r["metric"], plain(r["value"])) for r in rows} == EXPECTED
    cells = (
        (time_of(row["time"]), title.split(" [")[0], plain(cell))
        for row in csv.DictReader(io.StringIO(wide, newline=""))
        for title, cell in row.items()
        if title != "time" and cell
    )
    assert set(cells) == EXPECTED
    assert {(time_of(r["time"]), r["metric"], r["value"]) for r in json.loads(array)} == EXPECTED
    table = pq.read_table(io.BytesIO(parquet)).to_pylist()
    assert {
        (pd.Timestamp(r["time"]).value // 1000, r["metric"], r["text"] or r["value"]) for r in table
    } == EXPECTED


def test_export_is_ordered_by_time_then_metric(path: Path) -> None:
    """Rows come oldest first, and by metric within an instant."""
    rows = whole(path, ExportQuery("boiler", WINDOW))
    keys = list(zip(rows["time_us"], rows["metric"], strict=True))
    assert keys == sorted(keys)


def test_export_of_a_window_is_half_open(path: Path) -> None:
    """The start belongs to the window, the end does not."""
    query = ExportQuery(
        "boiler", Window(NOON_US + SECOND_US, NOON_US + 3 * SECOND_US), [SERIES.metric]
    )
    assert list(whole(path, query)["time_us"]) == [NOON_US + SECOND_US, NOON_US + 2 * SECOND_US]


def test_export_of_an_empty_window_has_no_parts(path: Path) -> None:
    """A client that measured nothing then gives no rows and no error."""
    assert frames(path, ExportQuery("boiler", Window(0, 10), spans=["5m"])) == []
    assert frames(path, ExportQuery("boiler", Window(0, 60 * SECOND_US), every_us=MINUTE_US)) == []


def test_export_says_when_a_late_reading_arrived(path: Path) -> None:
    """The time of receipt and the flags of a reading are in its row."""
    rows = whole(path, ExportQuery("boiler", WINDOW, ["power"]))
    late = rows[rows["flags"] & int(Flag.LATE) != 0].iloc[0]
    assert late["received_us"] - late["time_us"] == 5 * MINUTE_US


def test_export_with_means_has_the_full_span_at_its_first_row(path: Path) -> None:
    """A window in the middle has the same means as the same rows of the whole."""
    spans = ["10s", "30s"]
    every = whole(path, ExportQuery("boiler", WINDOW, [SERIES.metric], spans))
    late = Window(NOON_US + 40 * SECOND_US, WINDOW.end_us)
    part = whole(path, ExportQuery("boiler", late, [SERIES.metric], spans))
    columns = ["time_us", "mean_10s", "coverage_10s", "mean_30s", "coverage_30s"]
    expected = every[every["time_us"] >= late.start_us].reset_index(drop=True)
    pd.testing.assert_frame_equal(part[columns], expected[columns], check_exact=True)
    assert part["coverage_30s"][0] == 1.0


def test_export_in_tiny_parts_has_the_means_of_one_part(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a part begins is seen in no mean."""
    query = ExportQuery("boiler", WINDOW, spans=["10s"])
    expected = whole(path, query)
    with asking(path) as querier:
        about, stream = subject(querier, query), querier.stream
        replaced = {"chunk_rows": 7}
        monkeypatch.setattr(
            querier,
            "stream",
            lambda asked: stream(type(asked)(asked.client, asked.window, asked.metrics,
                                             asked.lookback_us, **replaced)),
        )  # fmt: skip
        parts = list(export_rows(querier, query, about))
    assert len(parts) > 5
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), expected)


def test_export_of_a_state_has_no_mean(path: Path) -> None:
    """A state has an empty mean and coverage, not those of numbers nearby."""
    rows = whole(path, ExportQuery("boiler", WINDOW, ["state"], ["10s"]))
    assert rows["mean_10s"].isna().all()
    assert rows["coverage_10s"].isna().all()


def test_export_by_intervals_is_the_mean_of_each(path: Path) -> None:
    """Each row is the mean of the numbers of its interval, at the interval's start."""
    query = ExportQuery("boiler", WINDOW, [SERIES.metric], ["30s"], every_us=10 * SECOND_US)
    rows = whole(path, query)
    assert list(rows["time_us"]) == [NOON_US + n * 10 * SECOND_US for n in range(5)]
    raw = [20 + n / 7 for n in range(50)]
    for n in range(5):
        assert rows["value"][n] == pytest.approx(math.fsum(raw[n * 10 : n * 10 + 10]) / 10)
        inside = raw[max(0, n - 2) * 10 : n * 10 + 10]
        assert rows["mean_30s"][n] == pytest.approx(math.fsum(inside) / len(inside))


def test_export_by_intervals_holds_nothing_back_while_its_reader_waits(path: Path) -> None:
    """Between two parts no read transaction is open: the writer checkpoints everything."""
    with asking(path) as querier:
        query = ExportQuery("boiler", WINDOW, [SERIES.metric], every_us=SECOND_US)
        waiting = export_rows(querier, query, subject(querier, query))
        next(waiting)
        with querier.snapshot() as snapshot:
            assert snapshot.latest()
        waiting.close()  # type: ignore[attr-defined]  # a generator


def test_export_beside_a_writer_goes_on(path: Path) -> None:
    """Readings that are stored while an export runs disturb it in nothing."""
    with asking(path) as querier:
        query = ExportQuery("boiler", WINDOW, [SERIES.metric])
        parts = export_rows(querier, query, subject(querier, query))
        appender = open_appender(path)
        appender.append(Batch([reading(WINDOW.end_us)]))
        rows = pd.concat(list(parts))
        appender.close()
    assert len(rows) == 50


def test_export_of_an_unknown_client_or_metric_names_it(path: Path) -> None:
    """What is not there is named."""
    with asking(path) as querier:
        with pytest.raises(UnknownClient, match="there is no client 'nobody'"):
            subject(querier, ExportQuery("nobody", WINDOW))
        with pytest.raises(UnknownMetric, match="client 'boiler' has no metric 'x'"):
            subject(querier, ExportQuery("boiler", WINDOW, ["power", "x"]))


def test_export_with_a_span_that_intervals_do_not_divide_is_refused() -> None:
    """A mean that would not be exact is not offered."""
    with pytest.raises(TimeError, match="span 90s must be a multiple of every"):
        ExportQuery("boiler", WINDOW, spans=["90s"], every_us=MINUTE_US)
    with pytest.raises(TimeError, match="span 32d is too long; use at most 31d"):
        ExportQuery("boiler", WINDOW, spans=["5m", "32d"])
    with pytest.raises(TimeError, match="is not a duration"):
        ExportQuery("boiler", WINDOW, spans=["soon"])


def test_parquet_without_rows_is_a_file_with_its_columns() -> None:
    """An empty export is a valid file that says what its columns are."""
    table = pq.read_table(io.BytesIO(b"".join(parquet_bytes([], ["mean_5m"]))))
    assert table.num_rows == 0
    assert table.column_names[-2:] == ["flags", "mean_5m"]
    assert str(table.schema.field("time").type) == "timestamp[us, tz=UTC]"


def test_export_by_intervals_over_years_without_readings_visits_only_what_is_there(
    tmp_path: Path,
) -> None:
    """Seconds since 1970 with readings in two of them are two snapshots."""
    path = fill(tmp_path / "culex.db", [reading(SECOND_US, 1.0), reading(NOON_US, 2.0)])
    query = ExportQuery("boiler", Window(0, NOON_US + SECOND_US), every_us=SECOND_US)
    with asking(path) as querier:
        counted = Counting(querier)
        parts = list(export_rows(counted, query, subject(querier, query)))  # type: ignore[arg-type]  # all it asks for
    assert [list(part["value"]) for part in parts] == [[1.0], [2.0]]
    assert counted.snapshots == 2


@pytest.mark.parametrize("offset_us", [0, 1, 4_500_000, 8_999_999])
def test_export_by_intervals_counts_only_readings_inside_the_window(
    path: Path, offset_us: int
) -> None:
    """The first and the last interval are cut, keep their aligned start, and have exact means."""
    window = Window(NOON_US + offset_us, NOON_US + offset_us + 31 * SECOND_US)
    query = ExportQuery("boiler", window, [SERIES.metric], ["20s"], every_us=10 * SECOND_US)
    raw = {NOON_US + n * SECOND_US: 20 + n / 7 for n in range(50)}
    rows = whole(path, query)
    assert rows["time_us"].is_unique
    for row in rows.itertuples():
        end_us = min(row.time_us + query.every_us, window.end_us)
        start_us = max(row.time_us, window.start_us)
        assert row.time_us % query.every_us == 0
        assert row.value == pytest.approx(mean(raw, start_us, end_us))
        assert row.mean_20s == pytest.approx(mean(raw, end_us - 20 * SECOND_US, end_us))
    assert rows["time_us"].iloc[0] == NOON_US
    assert rows["time_us"].iloc[-1] + query.every_us >= window.end_us


def test_export_by_intervals_wider_than_the_window_counts_what_is_inside(path: Path) -> None:
    """A window inside one interval gives one row, of its own readings alone."""
    window = Window(NOON_US + 3 * SECOND_US, NOON_US + 5 * SECOND_US)
    rows = whole(path, ExportQuery("boiler", window, [SERIES.metric], ["1m"], every_us=MINUTE_US))
    assert list(rows["time_us"]) == [NOON_US]
    assert rows["value"][0] == pytest.approx(20 + 3.5 / 7)
    assert rows["mean_1m"][0] == pytest.approx(20 + 2 / 7)


def test_export_by_intervals_in_tiny_parts_has_the_means_of_one_part(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a part begins is seen in no mean, and no interval is read twice."""
    window = Window(NOON_US + 30 * SECOND_US, WINDOW.end_us)
    query = ExportQuery("boiler", window, [SERIES.metric], ["20s"], every_us=SECOND_US)
    expected = whole(path, query)
    monkeypatch.setattr(telemetry.export_rows, "_BUCKETS_PER_PART", 3)
    monkeypatch.setattr(telemetry.export_rows, "_MOST_PER_PART", 3)
    fetched = counted_rows(monkeypatch, "buckets")
    parts = frames(path, query)
    assert len(parts) > 5
    assert sum(fetched) == 40
    pd.testing.assert_frame_equal(pd.concat(parts, ignore_index=True), expected)


def test_export_with_a_long_span_reads_its_lookback_once(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over all parts, the window and one look-back are read, not a look-back for each part."""
    window = Window(NOON_US + 30 * SECOND_US, WINDOW.end_us)
    query = StreamQuery("boiler", window, [SERIES.metric], 25 * SECOND_US, chunk_rows=3)
    fetched = counted_rows(monkeypatch, "read")
    with asking(path) as querier:
        chunks = list(querier.stream(query))
    assert len(chunks) > 5
    assert sum(fetched) == 45
    assert max(fetched) <= 3


def test_export_of_a_state_that_is_sometimes_off_says_off(tmp_path: Path) -> None:
    """A boolean among states is the name of a state in every format, and has no mean."""
    path = fill(tmp_path / "culex.db", decoded(*["heating", "off"] * 30))
    query = ExportQuery("boiler", Window(NOON_US, NOON_US + 10 * MINUTE_US), spans=["1m"])
    with asking(path) as querier:
        about = subject(querier, query)
        parts = list(export_rows(querier, query, about))
    names = query.mean_columns
    rows = list(csv.DictReader(io.StringIO("".join(csv_long(parts, names, UTC)), newline="")))
    assert [row["value"] for row in rows] == ["heating", "off"] * 30
    assert {row["mean_1m"] + row["coverage_1m"] for row in rows} == {""}
    array = json.loads("".join(json_array(parts, names, UTC)))
    assert [row["value"] for row in array] == ["heating", "off"] * 30
    table = pq.read_table(io.BytesIO(b"".join(parquet_bytes(parts, names)))).to_pylist()
    assert [(row["text"], row["value"]) for row in table] == [("heating", None), ("off", None)] * 30


def test_export_of_a_state_by_intervals_has_no_rows(tmp_path: Path) -> None:
    """The mean of heating and off is nothing, also in an interval that the window cuts."""
    path = fill(tmp_path / "culex.db", decoded(*["heating", "off"] * 30))
    window = Window(NOON_US + 7, NOON_US + 10 * MINUTE_US + 7)
    assert frames(path, ExportQuery("boiler", window, every_us=MINUTE_US)) == []


def test_export_of_a_number_once_unavailable_has_the_mean_of_its_numbers(tmp_path: Path) -> None:
    """A text among numbers takes part in no mean and leaves them numbers."""
    path = fill(tmp_path / "culex.db", decoded(20.5, "unavailable", 21.0))
    rows = whole(path, ExportQuery("boiler", WINDOW, spans=["1m"]))
    assert list(rows["text"]) == [None, "unavailable", None]
    assert list(rows["value"].dropna()) == [20.5, 21.0]
    assert rows["mean_1m"].iloc[-1] == 20.75


@pytest.fixture(scope="module")
def partly_over(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half hours of readings on nine days, of which only two days are not over; one is dense."""
    days = [*range(-4, 1), *range(-200, -196)]
    path = fill(
        tmp_path_factory.mktemp("partly_over") / "culex.db",
        [
            reading(NOON_US + day * DAY_US + (10 + n) * MINUTE_US, day + n / 8, series=series)
            for day in days
            for n in range(0, 30, 3)
            for series in (SERIES, Series("boiler", f"only on {day}"))
        ]
        + [
            reading(NOON_US - 3 * DAY_US + n * SECOND_US, n / 8, series=Series("boiler", "dense"))
            for n in range(700, 1900, 10)
        ],
    )
    with pytest.MonkeyPatch.context() as patched, closing(StoreAppender(path)) as appender:
        patched.setattr(part, "DENSE_PER_MINUTE", 2)
        appender.do(Seal(NOON_US + DAY_US))
        appender.do(Retain(NOON_US, Retention((), Keep(DAY_US, None, None))))
    return path


@pytest.mark.parametrize("every_us", [7 * SECOND_US, MINUTE_US, HOUR_US, 90 * MINUTE_US, DAY_US])
@pytest.mark.parametrize(
    ("start_us", "end_us"),
    [
        (NOON_US - 4 * DAY_US, NOON_US + DAY_US),
        (NOON_US - 3 * DAY_US + 15 * MINUTE_US, NOON_US + 12 * MINUTE_US + 1),
        (NOON_US - 4 * DAY_US - 1, NOON_US - 3 * DAY_US + 20 * MINUTE_US),
        (NOON_US - 250 * DAY_US, NOON_US - 2 * DAY_US),
    ],
)
def test_export_by_intervals_has_the_buckets_of_the_chart(
    partly_over: Path, every_us: int, start_us: int, end_us: int
) -> None:
    """Also where readings are over, in part or all of them, however coarse what is left of them."""
    query = ExportQuery("boiler", Window(start_us, end_us), every_us=every_us)
    with asking(partly_over) as querier:
        about = subject(querier, query)
        rows = pd.concat(list(export_rows(querier, query, about)))
        with querier.snapshot() as snapshot:
            charts = {
                one.metric: snapshot.buckets(one, query.window, every_us).frame
                for one in about.numbers
            }
    for metric, chart in charts.items():
        some = rows[rows["metric"] == metric]
        assert some["time_us"].tolist() == chart["time_us"].tolist()
        assert some["value"].tolist() == pytest.approx((chart["sum"] / chart["count"]).tolist())


def test_export_by_intervals_passes_by_months_between_rollups(partly_over: Path) -> None:
    """Two days of seconds half a year apart, and years before them, are a handful of snapshots."""
    window = Window(0, NOON_US - 3 * DAY_US)
    query = ExportQuery("boiler", window, [SERIES.metric], every_us=SECOND_US)
    with asking(partly_over) as querier:
        counted = Counting(querier)
        parts = list(export_rows(counted, query, subject(querier, query)))  # type: ignore[arg-type]  # all it asks for
    assert len(pd.concat(parts)) == 5
    assert counted.snapshots < 12


def mean(raw: Mapping[int, float], start_us: int, end_us: int) -> float:
    """The mean of the values in a half-open window."""
    inside = [value for time_us, value in raw.items() if start_us <= time_us < end_us]
    return math.fsum(inside) / len(inside)


def counted_rows(monkeypatch: pytest.MonkeyPatch, method: str) -> list[int]:
    """How many rows each call of a method of snapshots fetches, from now on."""
    fetched: list[int] = []
    fetch = getattr(StoreSnapshot, method)

    def counting(*arguments: object) -> Answer:
        answer: Answer = fetch(*arguments)
        fetched.append(len(answer.frame))
        return answer

    monkeypatch.setattr(StoreSnapshot, method, counting)
    return fetched


class Counting:
    """A querier that counts its snapshots."""

    def __init__(self, querier: Querier) -> None:
        self._querier = querier
        self.snapshots = 0

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A snapshot of the querier behind."""
        self.snapshots += 1
        return self._querier.snapshot()


def test_export_of_states_has_their_share_of_the_time_and_their_changes(path: Path) -> None:
    """Only where they are asked for; a number has neither, a state no mean."""
    names = ["idle", "idle", "heating", "heating", "idle"]
    mode = Series("boiler", "mode")
    fill(
        path,
        [reading(NOON_US + n * 10 * SECOND_US, name, series=mode) for n, name in enumerate(names)],
    )
    query = ExportQuery(
        "boiler", WINDOW, ["mode"], ["30s"], statistics=("share", "changes", "mean")
    )
    rows = whole(path, query)
    assert rows["text"].tolist() == names
    assert rows["share_30s"].round(6).tolist() == [1.0, 1.0, 0.0, 0.333333, 0.333333]
    assert rows["changes_30s"].tolist() == [0, 0, 1, 1, 2]
    assert rows["coverage_30s"].round(6).tolist() == [0.0, 0.333333, 0.666667, 1.0, 1.0]
    assert rows["mean_30s"].isna().all()
    numbers = whole(path, replace(query, metrics=[SERIES.metric]))
    assert numbers["share_30s"].isna().all()
    assert numbers["mean_30s"].notna().any()


def meter(path: Path) -> list[tuple[int, float]]:
    """A counter that began anew once, half of it in blocks, with late readings in the head."""
    random = np.random.default_rng(3)
    times = NOON_US - 8 * HOUR_US + np.cumsum(random.integers(SECOND_US, 40 * SECOND_US, 1300))
    values = np.cumsum(random.integers(0, 4, len(times))) * 0.5
    values[700:] -= values[700]
    pairs = [*zip(times.tolist(), values.tolist(), strict=True)]
    late = pairs[100:120:3]
    fill(path, [reading(*one) for one in pairs if one not in late])
    with closing(open_appender(path)) as appender:
        appender.do(Seal(NOON_US - 3 * HOUR_US))
        appender.append(Batch([reading(*one) for one in late]))
    return pairs


@pytest.mark.parametrize("every_us", [30 * SECOND_US, MINUTE_US, 10 * MINUTE_US, HOUR_US])
def test_statistics_of_intervals_are_those_of_their_readings(tmp_path: Path, every_us: int) -> None:
    """From head, blocks, rollups of minutes and hours, with late readings; cut at both ends."""
    path = tmp_path / "culex.db"
    pairs = meter(path)
    window = Window(NOON_US - 7 * HOUR_US + 17 * SECOND_US, NOON_US - HOUR_US - 5)
    names = ("mean", "time_weighted", "min", "max", "std", "rate", "increase")
    span = f"{every_us // SECOND_US}s"
    query = ExportQuery("boiler", window, [], [span], every_us, names)
    rows = whole(path, query)
    with asking(path) as querier:
        interval_us = next(iter(subject(querier, query).intervals_us.values()), None)
    ends = (rows["time_us"] // every_us * every_us + every_us).clip(upper=window.end_us) - 1
    samples = samples_of_readings(pd.DataFrame(pairs, columns=["time_us", "value"]))
    exact = rolling(samples, every_us, interval_us, ends.to_numpy(), names)
    there = {t - t % every_us for t, _ in pairs if window.start_us <= t < window.end_us}
    assert {*(rows["time_us"] // every_us * every_us)} == there
    plain = whole(path, replace(query, statistics=("mean",)))
    assert_series_equal(rows["value"], plain["value"], rtol=1e-15)
    inside = rows["time_us"] >= window.start_us
    assert inside.sum() > 3
    for name in names:
        found, right = rows[f"{name}_{span}"][inside], exact[name][inside]
        told = found.notna() if name in {"std", "increase"} else inside[inside]
        assert told.mean() > 0.3
        assert_series_equal(found[told], right[told], rtol=1e-9, atol=1e-9, check_names=False)
    assert rows[f"increase_{span}"].isna().sum() <= 1 + exact["increase"].isna().sum()


def test_intervals_finer_than_what_is_left_say_so(tmp_path: Path) -> None:
    """An hour cannot be taken apart: its mean stands where it begins, flagged."""
    path = tmp_path / "culex.db"
    start_us = NOON_US // DAY_US * DAY_US - 30 * DAY_US
    fill(path, [reading(start_us + n * 10 * MINUTE_US, float(n)) for n in range(144)])
    fill(path, [reading(NOON_US - 2 * DAY_US + n * MINUTE_US, 1.0) for n in range(30)])
    with closing(open_appender(path)) as appender:
        appender.do(Seal(NOON_US - DAY_US))
        appender.do(Retain(NOON_US, Retention((), Keep(10 * DAY_US, None, None))))
    day = Window(start_us, start_us + DAY_US)
    half = Window(start_us + HOUR_US // 2, start_us + DAY_US + HOUR_US // 2)
    hours = whole(path, ExportQuery("boiler", day, every_us=HOUR_US))
    assert (len(hours), {*hours["flags"]}) == (24, {0})
    minutes = whole(path, ExportQuery("boiler", Window(start_us, NOON_US), every_us=MINUTE_US))
    over = minutes["time_us"] < start_us + DAY_US
    assert ({*minutes["flags"][over]}, {*minutes["flags"][~over]}) == ({Flag.COARSER}, {0})
    assert (over.sum(), (~over).sum()) == (24, 30)
    cut = whole(path, ExportQuery("boiler", half, every_us=HOUR_US))
    assert {*cut["flags"][1:]} == {0}


def test_share_of_a_boolean_is_that_of_on_whatever_holds(path: Path) -> None:
    """A column is of one thing: it does not turn over when the switch does."""
    lamp = Series("boiler", "lamp")
    fill(
        path,
        [
            reading(NOON_US + n * 10 * SECOND_US, float(value), series=lamp, kind=Kind.BOOLEAN)
            for n, value in enumerate([0, 0, 1, 1, 0])
        ],
    )
    query = ExportQuery("boiler", WINDOW, ["lamp"], ["40s"], statistics=("share", "changes"))
    rows = whole(path, query)
    assert rows["value"].tolist() == [0.0, 0.0, 1.0, 1.0, 0.0]
    assert rows["share_40s"].round(6).tolist() == [0.0, 0.0, 0.0, 0.333333, 0.5]
    assert rows["changes_40s"].tolist() == [0, 0, 1, 1, 2]
