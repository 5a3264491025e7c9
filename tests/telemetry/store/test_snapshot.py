"""The read side of the head: one consistent view, and streams in parts."""

import os
import tempfile
import threading
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.batch import Batch
from telemetry.interface import StoreMissing, StoreUnavailable, StreamQuery
from telemetry.reading import Kind, Reading, Series
from telemetry.store import open_appender, open_querier
from telemetry.window import Window
from tests.telemetry.builders import SERIES, asking, fill, joined, looking, reading, steady, values

METRICS = ("temperature", "pressure", "state")
READINGS = st.lists(
    st.builds(
        lambda time_us, metric, value: reading(
            time_us, str(value) if metric == "state" else value, series=Series("boiler", metric)
        ),
        st.one_of(st.integers(-50, 250), st.sampled_from([7, 100])),
        st.sampled_from(METRICS),
        st.floats(-1e6, 1e6).map(lambda value: value + 0.0),
    ),
    max_size=60,
)


def told(readings: list[Reading], window: Window) -> list[tuple[int, str, float | str]]:
    """The distinct readings inside the window as (time, metric, value), sorted."""
    return sorted(
        {
            (one.time_us, one.series.metric, one.value)
            for one in readings
            if window.start_us <= one.time_us < window.end_us
        },
        key=str,
    )


@steady
@given(READINGS, st.integers(1, 30), st.integers(0, 60))
def test_stream_in_parts_of_any_size_is_every_reading_once(
    readings: list[Reading], chunk_rows: int, lookback_us: int
) -> None:
    """Parts join to the whole window without gap or overlap, and stay small."""
    window = Window(0, 200)
    with tempfile.TemporaryDirectory() as folder:
        path = fill(Path(folder) / "culex.db", readings)
        query = StreamQuery("boiler", window, (), lookback_us, chunk_rows)
        with asking(path) as querier:
            chunks = list(querier.stream(query))
    edges = [chunk.window.start_us for chunk in chunks] + [chunks[-1].window.end_us]
    assert (edges[0], edges[-1]) == (0, 200)
    assert [chunk.window.end_us for chunk in chunks[:-1]] == edges[1:-1]
    assert sorted(joined(chunks), key=str) == told(readings, window)
    for chunk in chunks:
        assert chunk.window.length_us == 1 or len(joined([chunk])) <= max(chunk_rows, len(METRICS))
        reach = chunk.window.widened(lookback_us)
        found = [(t, a.series.metric, v) for a in chunk.answers for t, v in values(a)]
        assert sorted(found, key=str) == told(readings, reach)


@steady
@given(READINGS, st.integers(1, 50))
def test_buckets_of_any_width_hold_every_number_once(readings: list[Reading], width: int) -> None:
    """Buckets are aligned, also before 1970, and add up to the readings that are numbers."""
    with tempfile.TemporaryDirectory() as folder:
        path = fill(Path(folder) / "culex.db", readings)
        window = Window(-60 // width * width, (260 // width + 1) * width)
        with looking(path) as snapshot:
            raw = snapshot.read(Series("boiler", "pressure"), window).frame
            frame = snapshot.buckets(Series("boiler", "pressure"), window, width).frame
    groups = raw["value"].groupby(raw["time_us"] // width * width)
    assert list(frame["time_us"]) == list(groups.groups)
    assert list(frame["count"]) == list(groups.count())
    assert list(frame["min"]) == list(groups.min())
    assert list(frame["max"]) == list(groups.max())
    assert list(frame["sum"]) == pytest.approx(list(groups.sum()), rel=1e-12, abs=1e-6)


def test_snapshot_while_a_writer_commits_shows_one_moment(tmp_path: Path) -> None:
    """What is asked later through the same snapshot belongs to what was asked first."""
    path = fill(tmp_path / "culex.db", [reading(1)])
    begun, written = threading.Event(), threading.Event()

    def write() -> None:
        appender = open_appender(path)
        begun.wait(20)
        appender.append(Batch([reading(2), reading(1, series=Series("new", "m"))]))
        appender.close()
        written.set()

    writer = threading.Thread(target=write)
    writer.start()
    with asking(path) as querier:
        with querier.snapshot() as snapshot:
            before = snapshot.sequence
            begun.set()
            assert written.wait(20)
            assert values(snapshot.read(SERIES, Window(0, 9))) == [(1, 1.0)]
            assert [latest.series for latest in snapshot.latest()] == [SERIES]
        with querier.snapshot() as snapshot:
            assert snapshot.sequence == before + 1
            assert len(snapshot.latest()) == 2
    writer.join(20)


def test_snapshots_beside_a_busy_writer_never_show_half_a_batch(tmp_path: Path) -> None:
    """Two series that are always written together are always read together."""
    path = fill(tmp_path / "culex.db", [])
    twin = Series("boiler", "twin")
    stopping = threading.Event()

    def write() -> None:
        appender = open_appender(path)
        for number in range(10_000):
            if stopping.is_set():
                break
            appender.append(Batch([reading(number), reading(number, series=twin)]))
        appender.close()

    writer = threading.Thread(target=write)
    writer.start()
    window, seen = Window(0, 1 << 40), 0
    with asking(path) as querier:
        while seen < 100:
            assert writer.is_alive()
            with querier.snapshot() as snapshot:
                one = values(snapshot.read(SERIES, window))
                other = values(snapshot.read(twin, window))
            assert one == other
            assert len(one) >= seen
            seen = len(one)
    stopping.set()
    writer.join(20)


def test_snapshot_of_no_store_leaves_no_file(tmp_path: Path) -> None:
    """Asking before the first collector says so each time and makes nothing."""
    with asking(tmp_path / "culex.db") as querier:
        for _ in range(2):
            with pytest.raises(StoreMissing), querier.snapshot():
                pass
    assert list(tmp_path.iterdir()) == []


def test_snapshot_after_the_store_appears_answers(tmp_path: Path) -> None:
    """A querier that found no store finds it once there is one."""
    with asking(tmp_path / "culex.db") as querier:
        with pytest.raises(StoreMissing), querier.snapshot():
            pass
        fill(tmp_path / "culex.db", [reading(1)])
        with querier.snapshot() as snapshot:
            assert len(snapshot.latest()) == 1


def test_snapshot_after_the_store_was_replaced_is_of_the_new_one(tmp_path: Path) -> None:
    """A file restored under a querier is what it answers from, without a restart."""
    path = fill(tmp_path / "culex.db", [reading(1)])
    restored = fill(tmp_path / "restored.db", [reading(1, series=Series("restored", "m"))])
    with asking(path) as querier:
        with querier.snapshot() as snapshot:
            assert [latest.series for latest in snapshot.latest()] == [SERIES]
        restored.rename(path)
        for _ in range(2):
            with querier.snapshot() as snapshot:
                assert [latest.series.client for latest in snapshot.latest()] == ["restored"]
        path.unlink()
        with pytest.raises(StoreMissing), querier.snapshot():
            pass


def test_snapshot_after_one_that_failed_answers(tmp_path: Path) -> None:
    """An exception inside a snapshot ends it and nothing else."""
    with asking(fill(tmp_path / "culex.db", [reading(1)])) as querier:
        with pytest.raises(ZeroDivisionError), querier.snapshot():
            _ = 1 / 0
        with querier.snapshot() as snapshot:
            assert snapshot.sequence == 1


def test_snapshot_of_a_querier_carried_over_a_fork_uses_its_own_connection(tmp_path: Path) -> None:
    """A forked worker opens its own connection and reads what was committed since."""
    path = fill(tmp_path / "culex.db", [reading(1)])
    querier = open_querier(path)
    with querier.snapshot():
        pass
    fill(path, [reading(2)])
    child = os.fork()
    if child == 0:
        with querier.snapshot() as snapshot:
            count = len(snapshot.read(SERIES, Window(0, 9)).frame)
        os._exit(count)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 2
    querier.close()


def test_querier_closed_twice_is_safe_and_may_ask_again(tmp_path: Path) -> None:
    """Closing releases the file; the next question opens it again."""
    querier = open_querier(fill(tmp_path / "culex.db", []))
    querier.close()
    querier.close()
    with querier.snapshot() as snapshot:
        assert snapshot.latest() == []
    querier.close()


def test_answer_without_readings_has_the_columns_of_one_with_some(tmp_path: Path) -> None:
    """An unknown series is an empty frame of the same columns and types."""
    with looking(fill(tmp_path / "culex.db", [reading(1)])) as snapshot:
        known = snapshot.read(SERIES, Window(0, 9)).frame
        unknown = snapshot.read(Series("no", "body"), Window(0, 9)).frame
        empty = snapshot.buckets(Series("no", "body"), Window(0, 10), 10).frame
    assert list(known.dtypes.items()) == list(unknown.dtypes.items())
    assert list(empty.columns) == ["time_us", "sum", "min", "max", "count"]


def test_count_ends_at_its_limit(tmp_path: Path) -> None:
    """Counting is bounded, and its window half-open."""
    path = fill(tmp_path / "culex.db", [reading(n) for n in range(10)])
    with looking(path) as snapshot:
        assert snapshot.count(SERIES, Window(0, 100), at_most=4) == 4
        assert snapshot.count(SERIES, Window(2, 5), at_most=100) == 3


def test_tail_of_a_window_is_its_newest_readings_oldest_first(tmp_path: Path) -> None:
    """No more rows than asked for, from the end of a half-open window."""
    path = fill(tmp_path / "culex.db", [reading(n) for n in range(10)])
    with looking(path) as snapshot:
        assert values(snapshot.tail(SERIES, Window(0, 9), 3)) == [(n, 1.0) for n in (6, 7, 8)]
        assert values(snapshot.tail(SERIES, Window(0, 2), 3)) == [(0, 1.0), (1, 1.0)]
        assert values(snapshot.tail(SERIES, Window(50, 60), 3)) == []


Step = tuple[int, float | str, bool]
"""When a state was heard, which, and whether nothing was heard for too long before."""


def drawn(steps: list[Step]) -> list[float | str | None]:
    """What steps show at each instant from 0 to 80; nothing in a gap, and the last one stays."""
    shown: list[float | str | None] = [None] * 80
    for (start, value, _), (end, _, gap) in pairwise([*steps, (80, "", False)]):
        shown[start:end] = [value] + [None if gap else value] * (end - start - 1)
    return shown


@steady
@given(
    st.dictionaries(st.integers(-20, 90), st.sampled_from(["on", "off", 1.0]), max_size=40),
    st.integers(1, 15),
)
def test_changes_of_a_series_show_what_all_its_readings_show(
    states: dict[int, float | str], gap_us: int
) -> None:
    """Drawn as steps, changes are the readings: the same state at every instant of a window."""
    window = Window(0, 80)
    with tempfile.TemporaryDirectory() as folder:
        path = fill(Path(folder) / "culex.db", [reading(t, value) for t, value in states.items()])
        with looking(path) as snapshot:
            answer = snapshot.changes(SERIES, window, gap_us)
            heard = values(snapshot.read(SERIES, window))
    gaps = [False, *(late - early > gap_us for (early, _), (late, _) in pairwise(heard))]
    everything = [(*one, gap) for one, gap in zip(heard, gaps, strict=False)]
    after_gap = answer.frame["after_gap"]
    changes = [(*one, bool(gap)) for one, gap in zip(values(answer), after_gap, strict=True)]
    assert drawn(changes) == drawn(everything)
    assert set(changes) <= set(everything)
    assert changes[-1:] == everything[-1:]


def test_changes_of_a_steady_series_are_its_first_and_last_reading(tmp_path: Path) -> None:
    """A state that holds for long costs two rows, however often it is sent."""
    path = fill(tmp_path / "culex.db", [reading(n, "on") for n in range(500)])
    with looking(path) as snapshot:
        frame = snapshot.changes(SERIES, Window(0, 500), 5).frame
        none = snapshot.changes(Series("no", "body"), Window(0, 500), 5).frame
    assert list(frame["time_us"]) == [0, 499]
    assert list(none.columns) == list(frame.columns) == ["time_us", "value", "text", "after_gap"]


@steady
@given(READINGS, st.integers(-50, 250), st.integers(1, 100), st.integers(1, 70))
def test_tail_of_any_window_is_the_end_of_all_its_readings(
    readings: list[Reading], start_us: int, length_us: int, rows: int
) -> None:
    """What is read from the end is what reading everything ends with."""
    window = Window(start_us, start_us + length_us)
    series = Series("boiler", "pressure")
    with tempfile.TemporaryDirectory() as folder:
        path = fill(Path(folder) / "culex.db", readings)
        with looking(path) as snapshot:
            tail = values(snapshot.tail(series, window, rows))
            whole = values(snapshot.read(series, window))
    assert [time_us for time_us, _ in tail] == [time_us for time_us, _ in whole][-rows:]
    assert set(tail) <= set(whole)


def test_extent_of_a_series_is_half_open_or_none(tmp_path: Path) -> None:
    """From the oldest reading to just behind the newest."""
    path = fill(tmp_path / "culex.db", [reading(5), reading(-3), reading(7)])
    with looking(path) as snapshot:
        assert snapshot.extent(SERIES) == Window(-3, 8)
        assert snapshot.extent(Series("no", "body")) is None


def test_cadences_before_a_time_are_learned_from_what_was_before(tmp_path: Path) -> None:
    """A series has the interval that it had up to then; one with two readings has none yet."""
    slow = [reading(n * 100) for n in range(5)]
    path = fill(tmp_path / "culex.db", [*slow, *(reading(1000 + n) for n in range(700))])
    with looking(path) as snapshot:
        assert snapshot.cadences([SERIES], 1000)[SERIES].interval_us == 100
        assert snapshot.cadences([SERIES], 2000)[SERIES].interval_us == 1
        assert snapshot.cadences([SERIES], 101) == {}


def test_latest_of_a_client_is_its_series_by_metric(tmp_path: Path) -> None:
    """One client or all, in order, with the kind that was sent."""
    states = [reading(1, "on", series=Series("a", metric)) for metric in ("z", "b")]
    with looking(fill(tmp_path / "culex.db", [reading(1), *states])) as snapshot:
        assert [latest.series.metric for latest in snapshot.latest("a")] == ["b", "z"]
        assert snapshot.latest("a")[0].kind is Kind.STATE
        assert len(snapshot.latest()) == 3


def test_writer_state_reported_in_parts_is_read_together(tmp_path: Path) -> None:
    """What was reported before stays; what never was is unknown."""
    appender = open_appender(tmp_path / "culex.db")
    with asking(tmp_path / "culex.db") as querier:
        with querier.snapshot() as snapshot:
            assert snapshot.writer().beat_us is None
        appender.report({"beat_us": 5, "broker_up": 1})
        appender.report({"broker_up": 0, "broker_reason": "refused"})
        with querier.snapshot() as snapshot:
            state = snapshot.writer()
    appender.close()
    assert (state.beat_us, state.broker_up, state.broker_reason) == (5, False, "refused")


def test_store_damaged_under_a_reader_is_one_of_our_errors(tmp_path: Path) -> None:
    """Whatever SQLite says about a truncated file reaches the caller as a store error."""
    path = fill(tmp_path / "culex.db", [reading(n, "x" * 400) for n in range(1000)])
    os.truncate(path, 8192)
    with pytest.raises(Exception, match=str(path)) as caught, looking(path) as snapshot:
        snapshot.read(SERIES, Window(0, 5000))
    assert caught.type.__module__ == StoreUnavailable.__module__
