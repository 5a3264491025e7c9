"""What is too large or takes too long is refused in one sentence, wherever the readings lie."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from telemetry.export import ExportQuery, subject
from telemetry.export_rows import export_rows
from telemetry.interface import Querier, Snapshot, StoreUnavailable, StreamQuery, TooMuch
from telemetry.job import Seal
from telemetry.reading import Series
from telemetry.store import head_readings, open_appender, snapshot, streaming
from telemetry.window import ALL_TIME, Window
from tests.benchmarks.histories import write_history
from tests.benchmarks.readings import START_US, days
from tests.telemetry.builders import NOON_US, SECOND_US, SERIES, asking, fill, reading

HUNDRED_YEARS = Window(
    START_US - 50 * 365 * 86_400 * SECOND_US, START_US + 50 * 365 * 86_400 * SECOND_US
)
BUSY = Series("client-00000", "humidity")


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with 5.2 million readings of one series: 60 days of one a second."""
    return write_history(tmp_path_factory.mktemp("busy") / "culex.db", days(1, 60, 1))


def test_window_of_a_hundred_years_is_refused_as_readings_and_answered_as_buckets(
    busy: Path,
) -> None:
    """No answer holds more than five million readings; what to ask for instead is said."""
    with asking(busy) as querier, querier.snapshot() as shown:
        with pytest.raises(TooMuch, match="more than 5000000 rows; ask for a narrower window"):
            shown.read(BUSY, HUNDRED_YEARS)
        with pytest.raises(TooMuch):
            shown.changes(BUSY, HUNDRED_YEARS, 1e6)
        frame = shown.buckets(BUSY, HUNDRED_YEARS, 86_400 * SECOND_US).frame
        assert frame["count"].tolist() == [86_400] * 60
        assert len(shown.tail(BUSY, HUNDRED_YEARS, 25).frame) == 25
        assert shown.damage() == []


def test_export_of_more_than_an_answer_may_hold_has_all_of_it(busy: Path) -> None:
    """An export has no such bound: it comes in parts."""
    query = ExportQuery(BUSY.client, HUNDRED_YEARS)
    with asking(busy) as querier:
        parts = [len(part) for part in export_rows(querier, query, subject(querier, query))]
    assert sum(parts) == 60 * 86_400
    assert max(parts) <= 50_000


@pytest.mark.parametrize("sealed", [False, True])
def test_answer_with_more_rows_than_may_be_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, sealed: bool
) -> None:
    """In the head and in blocks; as many as may be are answered."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US + n * SECOND_US) for n in range(21)])
    if sealed:
        with closing(open_appender(path)) as appender:
            appender.do(Seal(NOON_US + 60 * SECOND_US))
    monkeypatch.setattr(head_readings, "MOST_ROWS", 20)
    monkeypatch.setattr(snapshot, "MOST_ROWS", 20)
    most = Window(NOON_US, NOON_US + 20 * SECOND_US)
    with asking(path) as querier, querier.snapshot() as shown:
        assert len(shown.read(SERIES, most).frame) == 20
        assert len(shown.buckets(SERIES, most, SECOND_US).frame) == 20
        for ask in (
            lambda: shown.read(SERIES, ALL_TIME),
            lambda: shown.buckets(SERIES, ALL_TIME, SECOND_US),
        ):
            with pytest.raises(TooMuch, match="more than 20 rows"):
                ask()


ASKED: dict[str, Callable[[Snapshot], object]] = {
    "read": lambda shown: shown.read(BUSY, ALL_TIME),
    "buckets": lambda shown: shown.buckets(BUSY, ALL_TIME, 7 * SECOND_US),
    "hours": lambda shown: shown.buckets(BUSY, ALL_TIME, 3600 * SECOND_US),
    "tail": lambda shown: shown.tail(BUSY, ALL_TIME, 5),
    "count": lambda shown: shown.count(BUSY, ALL_TIME, 1 << 40),
    "boundary": lambda shown: shown.boundary(BUSY, 0, 1_000_000),
}


@pytest.mark.parametrize("name", ASKED)
def test_question_about_files_ends_when_its_time_is_over(
    busy: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The deadline holds between row groups too, and is no damage of a file."""
    monkeypatch.setattr(snapshot, "_ANSWER_SECONDS", -1.0)
    with asking(busy) as querier, querier.snapshot() as shown:
        with pytest.raises(StoreUnavailable, match="took too long; ask for a shorter time"):
            ASKED[name](shown)
        assert shown.damage() == []


class Counting:
    """A querier that counts what each of its snapshots is asked."""

    def __init__(self, querier: Querier) -> None:
        self._querier = querier
        self.snapshots = 0

    def snapshot(self) -> object:
        """A snapshot of the querier behind."""
        self.snapshots += 1
        return self._querier.snapshot()


def test_export_of_many_metrics_takes_several_snapshots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None of them has to read more series than it has time for, and nothing is left out."""
    readings = [reading(NOON_US + n, series=Series("boiler", f"m{n:03}")) for n in range(50)]
    path = fill(tmp_path / "culex.db", readings)
    monkeypatch.setattr(streaming, "_AT_ONCE", 8)
    with asking(path) as querier:
        counted = Counting(querier)
        query = StreamQuery("boiler", Window(NOON_US, NOON_US + SECOND_US))
        (chunk,) = streaming.chunks(counted, query)  # type: ignore[arg-type]  # all it asks for
    assert [answer.series for answer in chunk.answers] == [one.series for one in readings]
    assert [len(answer.frame) for answer in chunk.answers] == [1] * 50
    assert counted.snapshots == 1 + 7 + 7


def test_as_of_is_the_state_that_a_snapshot_shows(tmp_path: Path) -> None:
    """What comes later has a higher number, and is not in the snapshot that was taken before."""
    path = fill(tmp_path / "culex.db", [reading(NOON_US, delay_us=3)])
    with asking(path) as querier:
        with querier.snapshot() as before:
            first = before.as_of
            fill(path, [reading(NOON_US + SECOND_US, delay_us=5)])
            assert before.as_of == first
        with querier.snapshot() as after:
            second = after.as_of
    assert (first.time_us, second.time_us) == (NOON_US + 3, NOON_US + SECOND_US + 5)
    assert second.sequence > first.sequence
