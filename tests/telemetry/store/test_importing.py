"""Importing: what files hold is in the store once, beside and amid whatever is there already."""

import gzip
import json
import multiprocessing
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from telemetry.interface import StoreError
from telemetry.job import Compact, Import, Job, Result, Retain, Seal, content_of, job_of
from telemetry.ledger import total
from telemetry.reading import Flag, Kind, Latest, Series
from telemetry.retention import Keep, Retention
from telemetry.store import importing_days, importing_roster, importing_runs, part
from telemetry.store.appender import StoreAppender
from telemetry.store.head import open_reader
from telemetry.store.layout import Tier, blocks_folder
from telemetry.store.manifest import every_block
from telemetry.window import ALL_TIME, DAY_US, HOUR_US, to_iso
from tests.support import wait_until
from tests.telemetry.builders import NOON_US, SECOND_US, looking, steady, values
from tests.telemetry.sources.test_homeassistant import NEW, build
from tests.telemetry.store.test_history import SERIES, Model, check_rollups, measured

RECEIVED_US = NOON_US + 60 * DAY_US
LATEST_US = RECEIVED_US + 300 * SECOND_US

Row = tuple[int, int, float | str]


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in many small pieces, and two readings a minute are dense."""
    monkeypatch.setattr(part, "DENSE_PER_MINUTE", 2)
    monkeypatch.setattr(importing_runs, "RUN_ROWS", 300)
    monkeypatch.setattr(importing_runs, "_BATCH_ROWS", 70)
    monkeypatch.setattr(importing_days, "DRAFT_ROWS", 200)


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Model]:
    """An empty store."""
    path = tmp_path / "store" / "culex.db"
    path.parent.mkdir()
    with closing(StoreAppender(path)) as appender:
        yield Model(appender, path)


def job(*paths: Path, **hints: object) -> Import:
    """The job to import these files."""
    return Import(tuple(map(str, paths)), RECEIVED_US, LATEST_US, **hints)  # type: ignore[arg-type]  # by name


def bring(model: Model, *paths: Path, **hints: object) -> Result:
    """What becomes of these files."""
    return model.appender.do(job(*paths, **hints))


def write(folder: Path, text: str, name: str = "a.csv") -> Path:
    """A file of that text."""
    path = folder / name
    path.write_text(text, "utf-8")
    return path


def long(rows: Sequence[Row]) -> str:
    """Rows of a place in SERIES, a second and a value as CSV."""
    lines = [
        f"{SERIES[place].client},{SERIES[place].metric},{NOON_US + second * SECOND_US},{value}"
        for place, second, value in rows
    ]
    return "\n".join(["client,metric,time,value", *lines, ""])


def counts(result: Result) -> tuple[object, ...]:
    """How many were stored, were there already, or are bad."""
    return result["stored"], result["duplicates"], result["bad"]


def latest(model: Model) -> list[Latest]:
    """What there is of each series."""
    with looking(model.path) as snapshot:
        return [*snapshot.latest()]


def read(model: Model, series: Series) -> list[tuple[int, float | str]]:
    """The readings of a series."""
    with looking(model.path) as snapshot:
        return values(snapshot.read(series, ALL_TIME))


rows_of_files = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.integers(-2, 50).map(lambda n: n * 1199 + n % 5),
        st.sampled_from([1.5, -2.0, 0.1, "heat"]),
    ),
    min_size=1,
    max_size=25,
)
operations = st.lists(
    st.one_of(
        st.tuples(st.just("import"), rows_of_files),
        st.tuples(st.just("arrive"), rows_of_files),
        st.tuples(st.just("seal"), st.integers(-1, 18)),
        st.tuples(st.just("compact"), st.integers(0, 2)),
        st.tuples(st.just("reopen"), st.none()),
    ),
    max_size=8,
)


@settings(steady, max_examples=30)
@given(operations)
def test_any_order_of_importing_arriving_sealing_and_compacting_shows_each_reading_once(
    todo: list[tuple[str, object]],
) -> None:
    """Files repeat themselves, the head and the blocks, and other values of the same times."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "culex.db"
        model = Model(StoreAppender(path), path)
        for verb, what in todo:
            do(model, verb, what)
            model.check()
        model.appender.do(Seal(NOON_US + 30 * DAY_US))
        model.check()
        model.appender.do(Compact(NOON_US + 40 * DAY_US))
        model.check()
        check_rollups(model)
        model.appender.close()


def do(model: Model, verb: str, what: object) -> None:
    """One operation."""
    match verb, what:
        case "import", list(rows):
            for place, second, value in rows:
                some = model.readings.setdefault(SERIES[place], set())
                some.add((NOON_US + second * SECOND_US, value))
            result = bring(model, write(model.path.parent, long(rows)))
            assert result["read"] == len(rows)
            assert sum(map(int, counts(result)[:2])) == len(rows)
        case "arrive", list(rows):
            model.arrive([(*row, 0) for row in rows])
        case "seal", int(hour):
            model.appender.do(Seal(NOON_US + hour * HOUR_US))
        case "compact", int(day):
            model.appender.do(Compact(NOON_US + day * DAY_US))
        case _:
            model.appender.close()
            model.appender = StoreAppender(model.path)


def test_file_twice_is_stored_once_and_counted_twice(model: Model, tmp_path: Path) -> None:
    """All of it is a duplicate the second time, also in the ledger; nothing is left behind."""
    rows = [row[:3] for row in measured()]
    path = write(tmp_path, long(rows))
    assert counts(bring(model, path)) == (len(rows), 0, 0)
    before = {one.path for one in every_block(open_reader(model.path))}
    assert counts(bring(model, path)) == (0, len(rows), 0)
    assert {one.path for one in every_block(open_reader(model.path))} == before
    model.readings = {
        series: {(NOON_US + second * SECOND_US, value) for p, second, value in rows if p == place}
        for place, series in enumerate(SERIES)
    }
    model.check()
    check_rollups(model)
    with looking(model.path) as snapshot:
        tally = total(row.readings for row in snapshot.ledger(None, ALL_TIME))
    assert (tally.received, tally.stored, tally.duplicate) == (2 * len(rows), len(rows), len(rows))
    files = [one for one in blocks_folder(model.path).rglob("*") if one.is_file()]
    assert {str(one.relative_to(blocks_folder(model.path))) for one in files} == before


def test_days_have_one_block_of_readings_and_rollups_of_both_tiers(
    model: Model, tmp_path: Path
) -> None:
    """However many shares a day is sorted in."""
    rows: list[Row] = [(n % 2, n * 10, n % 7 / 8) for n in range(-8000, 1000)]
    bring(model, write(tmp_path, long(rows)))
    found = every_block(open_reader(model.path))
    readings = [one for one in found if one.tier is Tier.READINGS]
    assert len(readings) == len({one.first_us // DAY_US for one in readings}) == 2
    assert {one.tier for one in found} == {*Tier}


def test_readings_are_flagged_and_say_when_they_were_imported(model: Model, tmp_path: Path) -> None:
    """What a file says of provenance and receipt stands beside it; without, receipt is now."""
    path = write(
        tmp_path,
        "client,metric,time,value,unit,received,flags\n"
        "boiler,temperature,2026-01-01T00:00:00Z,20,°C,2026-01-01T00:00:02.5Z,late\n"
        "boiler,temperature,2026-01-01T00:00:01Z,21,°C,,\n",
    )
    bring(model, path)
    with looking(model.path) as snapshot:
        frame = snapshot.read(Series("boiler", "temperature"), ALL_TIME).frame
        hours = {row.account.hour_us for row in snapshot.ledger("boiler", ALL_TIME)}
        assert snapshot.recount() == []
    assert frame["flags"].tolist() == [Flag.IMPORTED | Flag.LATE, Flag.IMPORTED]
    received = (frame["time_us"] + frame["delay_us"]).tolist()
    assert [to_iso(one) for one in received] == [
        "2026-01-01T00:00:02.500000Z", to_iso(RECEIVED_US),
    ]  # fmt: skip
    assert hours == {received[0] - received[0] % HOUR_US, RECEIVED_US - RECEIVED_US % HOUR_US}


def test_other_values_of_one_time_are_flagged_but_for_the_first(
    model: Model, tmp_path: Path
) -> None:
    """In the file and against blocks; of what is in the head still, that is flagged itself."""
    series = Series("attic", "temperature")
    bring(model, write(tmp_path, long([(0, 0, 3.0), (0, 0, 1.0), (0, 0, "x")])))
    bring(model, write(tmp_path, long([(0, 0, 2.0)])))
    model.arrive([(0, 5, 7.0, 0)])
    bring(model, write(tmp_path, long([(0, 5, 6.0)])))
    with looking(model.path) as snapshot:
        frame = snapshot.read(series, ALL_TIME).frame
    conflicts = [bool(flags & Flag.CONFLICT) for flags in frame["flags"]]
    said = [*zip(values_of(frame), conflicts, strict=True)]
    assert said == [(1.0, True), (2.0, True), (3.0, False), ("x", True), (6.0, False), (7.0, True)]


def values_of(frame: pd.DataFrame) -> list[float | str]:
    """Numbers and texts of a frame."""
    return [v if t is None else t for v, t in zip(frame["value"], frame["text"], strict=True)]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (("on", "off"), Kind.BOOLEAN),
        (("on", "heat"), Kind.STATE),
        (("heat", "on", "21.5"), Kind.NUMBER),
        (("1", "0"), Kind.NUMBER),
    ],
)
def test_kind_of_a_series_is_as_if_its_readings_had_arrived(
    model: Model, tmp_path: Path, cells: Sequence[str], kind: Kind
) -> None:
    """Mixed types in one file, or file by file, come to the same; and to what arrives."""
    lines = "\n".join(f"a,m,{NOON_US + n * SECOND_US},{cell}" for n, cell in enumerate(cells))
    header = "client,metric,time,value"
    bring(model, write(tmp_path, f"{header}\n{lines}\n{lines.replace('a,m', 'b,m')}\n"))
    for cell in reversed(cells):
        bring(model, write(tmp_path, f"{header}\nc,m,{NOON_US},{cell}\n"))
    assert [one.kind for one in latest(model)] == [kind] * 3


def test_newest_reading_and_unit_of_a_series_follow_time_and_not_order(
    model: Model, tmp_path: Path
) -> None:
    """An old file changes neither; a newer one both; one without a unit leaves it."""
    series, header = Series("a", "t"), "client,metric,time,value,unit"
    for second, value, unit in (
        (0, 1.0, "K"),
        (-90_000, 2.0, "°C"),
        (60, 3.0, "°F"),
        (90, 4.0, ""),
    ):
        path = write(tmp_path, f"{header}\na,t,{NOON_US + second * SECOND_US},{value},{unit}\n")
        bring(model, path)
    (found,) = latest(model)
    assert (found.series, found.time_us, found.value, found.unit) == (
        series, NOON_US + 90 * SECOND_US, 4.0, "°F",
    )  # fmt: skip
    with looking(model.path) as snapshot:
        extent = snapshot.extent(series)
    assert extent is not None
    assert extent.start_us == NOON_US - 90_000 * SECOND_US


def test_what_arrives_after_an_import_knows_of_it(model: Model) -> None:
    """The writer has not its own idea of a series that an import has made older and newer."""
    model.arrive([(0, 0, 1.0, 0)])
    rows: list[Row] = [(0, -90_000, 0.5), (0, 90_000, 2.5)]
    do(model, "import", rows)
    model.arrive([(0, -10, 3.0, 0), (0, 10, 4.0, 0)])
    model.check()
    (found,) = latest(model)
    assert (found.time_us, found.value) == (NOON_US + 90_000 * SECOND_US, 2.5)
    assert found.flags == Flag.IMPORTED
    model.arrive([(0, -90_000, 0.5, 0), (0, 90_000, 2.5, 0)])
    model.check()


def test_million_duplicates_are_one_reading(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers and texts, in the file and in the store."""
    monkeypatch.undo()
    lines = f"attic,temperature,{NOON_US},1.5\nboiler,mode,{NOON_US},heat\n" * 500_000
    path = write(tmp_path, f"client,metric,time,value\n{lines}")
    assert counts(bring(model, path)) == (2, 999_998, 0)
    assert counts(bring(model, path)) == (0, 1_000_000, 0)
    assert read(model, SERIES[0]) == [(NOON_US, 1.5)]
    assert read(model, SERIES[1]) == [(NOON_US, "heat")]


def test_bad_rows_are_told_by_line_and_the_rest_is_stored(model: Model, tmp_path: Path) -> None:
    """A name or a time that the store refuses, a value that is none, a row that is none."""
    path = write(
        tmp_path,
        f"""client,metric,time,value
a,t,{NOON_US},1
broker,t,{NOON_US},1
a,t,{LATEST_US + 1},1
a,t,soon,1
a,t,{NOON_US},"21,5"
a,t
a,{"n" * 300},{NOON_US},1
a,t,{NOON_US + 1},2
""",
    )
    result = bring(model, path)
    assert counts(result) == (2, 0, 6)
    assert [(row["line"], row["reason"]) for row in result["bad_rows"]] == [  # type: ignore[union-attr,index]  # rows
        (3, "reserved"), (4, "future"), (5, "bad-time"), (6, "decimal-comma"),
        (7, "malformed-row"), (8, "long-name"),
    ]  # fmt: skip
    assert {row["file"] for row in result["bad_rows"]} == {str(path)}  # type: ignore[union-attr,index]  # rows
    assert read(model, Series("a", "t")) == [(NOON_US, 1.0), (NOON_US + 1, 2.0)]


def test_of_many_bad_rows_twenty_are_told(model: Model, tmp_path: Path) -> None:
    """And all are counted, over all files."""
    bad = "client,metric,time,value\n" + "a,t,soon,1\n" * 30
    result = bring(model, write(tmp_path, bad), write(tmp_path, bad, "b.csv"))
    assert (result["bad"], len(result["bad_rows"])) == (60, 20)  # type: ignore[arg-type]  # rows
    assert latest(model) == []


def test_file_that_ends_early_or_is_none_is_a_fault_beside_what_was_stored(
    model: Model, tmp_path: Path
) -> None:
    """What was read is stored, the other files too, and each fault names its file."""
    text = long([(0, second, 1.0) for second in range(40_000)]).encode()
    whole = gzip.compress(text)
    cut, good = tmp_path / "cut.csv.gz", write(tmp_path, long([(1, 0, "x")]), "z.csv")
    cut.write_bytes(whole[: len(whole) * 9 // 10])
    nonsense, missing = write(tmp_path, "a,b\n1,2\n", "nonsense.csv"), tmp_path / "missing.csv"
    result = bring(model, cut, nonsense, missing, good)
    assert [str(fault).partition(":")[0] for fault in result["faults"]] == [  # type: ignore[union-attr]  # texts
        str(cut), str(nonsense), str(missing),
    ]  # fmt: skip
    assert 10_000 < int(str(result["stored"])) < 40_001
    cut.write_bytes(whole)
    again = bring(model, cut)
    assert (again["faults"], int(str(again["stored"])) + int(str(result["stored"]))) == ([], 40_001)


def test_wide_file_parquet_and_line_protocol_come_to_the_same(model: Model, tmp_path: Path) -> None:
    """What one form has brought, the others find there already."""
    times_us = [NOON_US + n * 10 * SECOND_US for n in range(50)]
    numbers = [20 + n / 8 for n in range(50)]
    stamps = [datetime.fromtimestamp(one / 1e6, UTC).isoformat() for one in times_us]
    wide = "time,t [°C],mode\n" + "".join(
        f"{stamp},{number},m{n % 3}\n"
        for n, (stamp, number) in enumerate(zip(stamps, numbers, strict=True))
    )
    assert counts(bring(model, write(tmp_path, wide, "pi.csv"))) == (100, 0, 0)
    frame = pd.DataFrame(
        {"client": "pi", "metric": "t", "time": pd.to_datetime(stamps), "value": numbers}
    )
    frame.to_parquet(tmp_path / "x.parquet")
    assert counts(bring(model, tmp_path / "x.parquet")) == (0, 50, 0)
    lines = "".join(
        f'x,host=pi t={number},mode="m{n % 3}" {time_us}\n'
        for n, (time_us, number) in enumerate(zip(times_us, numbers, strict=True))
    )
    path = write(tmp_path, lines.replace("x,host=pi", "pi"), "x.lp")
    assert counts(bring(model, path, precision="us")) == (0, 100, 0)
    units = {one.series: one.unit for one in latest(model)}
    assert units == {Series("pi", "mode"): "", Series("pi", "t"): "°C"}


def test_home_assistant_database_is_imported_with_kinds_and_units(
    model: Model, tmp_path: Path
) -> None:
    """A number, a yes or no, a state; what is unavailable is no reading and no fault."""
    meta, shared = "INSERT INTO states_meta VALUES (?, ?)", "INSERT INTO state_attributes"
    state = "INSERT INTO states (metadata_id, state, last_updated_ts, attributes_id)"
    names = enumerate(("sensor.boiler", "light.hall", "climate.hall"), 1)
    said = [(1, "21.5"), (2, "on"), (3, "heat"), (1, "unavailable"), (2, "off")]
    path = build(
        tmp_path / "home-assistant_v2.db",
        NEW,
        [
            *((meta, row) for row in names),
            (f"{shared} VALUES (?, 0, ?)", (1, '{"unit_of_measurement": "°C"}')),
            *(
                (f"{state} VALUES (?, ?, ?, ?)", (entity, text, NOON_US / 1e6 + n, 1))
                for n, (entity, text) in enumerate(said)
            ),
        ],
    )
    result = bring(model, path)
    assert (*counts(result), result["skipped"]) == (4, 0, 0, 1)
    kinds = {one.kind: (one.value, one.unit) for one in latest(model)}
    assert kinds == {
        Kind.NUMBER: (21.5, "°C"), Kind.BOOLEAN: (0.0, "°C"), Kind.STATE: ("heat", "°C"),
    }  # fmt: skip


def test_folder_is_imported_file_by_file(model: Model, tmp_path: Path) -> None:
    """Options go for all of them; columns may have names of their own."""
    for name in ("one", "two"):
        folder = tmp_path / "all" / name
        folder.mkdir(parents=True)
        write(folder, f"when,watt\n{NOON_US},{len(name)}\n", f"{name}.csv")
    result = bring(model, tmp_path / "all", columns=(("time", "when"),))
    assert counts(result) == (2, 0, 0)
    assert {one.series for one in latest(model)} == {Series("one", "watt"), Series("two", "watt")}


def test_more_series_than_anybody_means_are_refused(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of times taken for that of metrics would fill the catalog."""
    monkeypatch.setattr(importing_roster, "MOST_SERIES", 10)
    lines = "".join(f"a,m{n},{NOON_US},1\n" for n in range(11))
    with pytest.raises(StoreError, match="--column metric=NAME"):
        bring(model, write(tmp_path, f"client,metric,time,value\n{lines}"))
    assert latest(model) == []


def test_day_with_a_damaged_block_is_refused_and_imported_once_it_is_back(
    model: Model, tmp_path: Path
) -> None:
    """Nobody can tell what of it is there already."""
    rows: list[Row] = [(0, n, n / 8) for n in range(100)]
    path = write(tmp_path, long(rows))
    bring(model, path)
    block = next(blocks_folder(model.path).glob("readings/*/*.parquet"))
    sound = block.read_bytes()
    block.write_bytes(sound[:100] + b"x" * (len(sound) - 100))
    with pytest.raises(StoreError, match="put it back from a backup"):
        bring(model, path)
    block.write_bytes(sound)
    assert counts(bring(model, path)) == (0, 100, 0)


def test_file_that_is_imported_again_when_its_readings_are_over_changes_nothing(
    model: Model, tmp_path: Path
) -> None:
    """Its rollups are left, and no hour grows; an hour that nobody has seen yet is new."""
    path = write(tmp_path, long([(place, 30 * n, n / 8) for n in range(200) for place in (0, 1)]))
    assert counts(bring(model, path)) == (400, 0, 0)
    week = Keep(7 * DAY_US, None, None)
    model.appender.do(Retain(NOON_US + 30 * DAY_US, Retention((), week)))
    assert read(model, SERIES[0]) == []

    def hours() -> list[tuple[int, int]]:
        with looking(model.path) as snapshot:
            frame = snapshot.buckets(SERIES[0], ALL_TIME, HOUR_US).frame
        return [*zip(frame["time_us"].tolist(), frame["count"].tolist(), strict=True)]

    before = hours()
    assert counts(bring(model, path)) == (0, 400, 0)
    assert hours() == before
    later = write(tmp_path, long([(0, 5 * 3600 + 30, 1.0), (0, 60, 2.0)]), "b.csv")
    assert counts(bring(model, later)) == (1, 1, 0)
    assert hours() == [*before, (NOON_US + 5 * HOUR_US, 1)]
    with looking(model.path) as snapshot:
        assert snapshot.recount() == []


def test_import_beside_other_work_is_done_by_a_process_of_its_own(
    model: Model, tmp_path: Path
) -> None:
    """As the collector does it: readings go on arriving, the same ones too, and are there once."""
    rows = [row[:3] for row in measured()]
    asked = job(write(tmp_path, long(rows)))
    found: list[Result | None] = []

    def imported() -> bool:
        if not found:
            assert not multiprocessing.active_children()
        model.appender.tend(NOON_US)
        if len(found) % 10 == 1:
            model.arrive([(*rows[len(found) % len(rows)], 0), (0, 7 + len(found), 9.5, 0)])
        found.append(model.appender.step(asked))
        return found[-1] is not None

    wait_until(imported)
    result = found[-1]
    assert result is not None
    assert int(str(result["stored"])) + int(str(result["duplicates"])) == len(rows)
    for place, second, value in rows:
        model.readings.setdefault(SERIES[place], set()).add((NOON_US + second * SECOND_US, value))
    model.check()
    model.appender.do(Seal(NOON_US + 30 * DAY_US))
    model.check()


def test_day_larger_than_a_share_is_sorted_in_shares_and_a_run_out_of_order_is_too(
    model: Model,
) -> None:
    """Series by series, backwards in time, in names that are not in order."""
    random = np.random.default_rng(5)
    rows: list[Row] = [
        (place, int(second), float(second) / 8)
        for place in (2, 0)
        for second in random.permutation(np.arange(-100_000, 100_000, 97))[::-1]
    ]
    do(model, "import", rows)
    model.check()
    check_rollups(model)


@pytest.mark.parametrize(
    "wrong",
    [{"columns": [["time"]]}, {"paths": "x"}, {"received_us": None}, {"columns": [["time", 1]]}],
)
def test_job_to_import_survives_json_and_nothing_else_does(wrong: dict[str, object]) -> None:
    """A command of another version is answered with a sentence."""
    asked: Job = job(Path("/a b"), columns=(("time", "when"),), client="x", zone="Europe/Berlin")
    assert job_of(json.loads(json.dumps(content_of(asked)))) == asked
    with pytest.raises(Exception, match="no job that this version"):
        job_of(content_of(asked) | wrong)


@pytest.mark.parametrize("wrong", [{"form": "xls"}, {"zone": "Mars/Olympus"}, {"precision": "h"}])
def test_job_with_words_that_mean_nothing_is_refused(
    model: Model, tmp_path: Path, wrong: dict[str, str]
) -> None:
    """In one sentence, as the collector must answer."""
    with pytest.raises(StoreError):
        bring(model, tmp_path, **wrong)
