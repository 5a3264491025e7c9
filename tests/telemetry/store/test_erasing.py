"""Erasing: again after a file was damaged, beside rollups that stay, and in few transactions."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from telemetry.batch import Arrival, Batch
from telemetry.job import Erase, Retain, Seal
from telemetry.ledger import Account
from telemetry.reading import Flag, Kind, Reading, Series
from telemetry.retention import Keep, Retention
from telemetry.store import table
from telemetry.store.appender import StoreAppender
from telemetry.store.erasing import Eraser
from telemetry.store.head import open_reader
from telemetry.store.layout import Tier, blocks_folder
from telemetry.store.manifest import every_block
from telemetry.store.table import Doomed, Erased
from telemetry.window import ALL_TIME, DAY_US, HOUR_US
from tests.telemetry.builders import NOON_US, SECOND_US, looking

POWER = Series("boiler", "power")
OTHER = Series("attic", "power")
TWO_DAYS = Retention((), Keep(2 * DAY_US, 2 * DAY_US, None))


@pytest.fixture
def appender(tmp_path: Path) -> Iterator[StoreAppender]:
    """Writes an empty store."""
    with closing(StoreAppender(tmp_path / "culex.db")) as appender:
        yield appender


def minutes(
    day: int, value: float | str = 1.0, *, series: Series = POWER, flags: int = 0
) -> list[Reading]:
    """Twenty readings from noon on, a minute apart."""
    kind = Kind.STATE if isinstance(value, str) else Kind.NUMBER
    return [
        Reading(series, NOON_US + day * DAY_US + n * 60 * SECOND_US, value, kind, flags=flags)
        for n in range(20)
    ]


def arrive(appender: StoreAppender, readings: Sequence[Reading]) -> None:
    """As the collector stores them, with the ledger, and sealed."""
    arrivals = [
        Arrival(Account(one.series.client, one.time_us - one.time_us % HOUR_US), [one])
        for one in readings
    ]
    appender.append(Batch(arrivals=arrivals))
    appender.do(Seal(NOON_US + DAY_US))


def file_of(path: Path, day: int, tier: Tier) -> Path:
    """The one file of a tier that has that day."""
    with closing(open_reader(path)) as connection:
        blocks = [one for one in every_block(connection) if one.tier is tier]
    (block,) = (one for one in blocks if one.first_us // DAY_US == NOON_US // DAY_US + day)
    return blocks_folder(path) / block.path


def clients(path: Path) -> set[str]:
    """Who has any series."""
    with looking(path) as snapshot:
        assert snapshot.recount() == []
        return {one.series.client for one in snapshot.latest()}


@pytest.mark.parametrize("tier", [Tier.READINGS, Tier.HOURS])
def test_client_stays_known_until_its_damaged_file_is_back_and_it_is_erased_again(
    appender: StoreAppender, tmp_path: Path, tier: Tier
) -> None:
    """Or nobody could ask for it again, and what the file has of it would come back for good."""
    path = tmp_path / "culex.db"
    arrive(appender, [*minutes(-5), *minutes(-5, series=OTHER), *minutes(0)])
    file = file_of(path, -5, tier)
    sound = file.read_bytes()
    file.write_bytes(b"PAR1, or is it?")
    assert appender.do(Erase(POWER.client))["unread"]
    file.write_bytes(sound)
    assert clients(path) == {POWER.client, OTHER.client}
    left = appender.do(Erase(POWER.client))
    assert left == {"erased": 20 if tier is Tier.READINGS else 0}
    assert clients(path) == {OTHER.client}
    with looking(path) as snapshot:
        for width_us in (60 * SECOND_US, HOUR_US):
            assert snapshot.buckets(POWER, ALL_TIME, width_us).frame.empty
            assert snapshot.buckets(OTHER, ALL_TIME, width_us).frame["count"].sum() == 20


def test_erasing_by_flag_hides_nothing_that_a_damaged_file_has(
    appender: StoreAppender, tmp_path: Path
) -> None:
    """A reading that is newer than all others shows up with its file, whatever is erased."""
    path = tmp_path / "culex.db"
    simulated = minutes(0, 9.0, flags=Flag.SIMULATED)
    real = [one._replace(time_us=one.time_us - SECOND_US) for one in minutes(0)]
    arrive(appender, [*minutes(-5), *real, *simulated])
    file = file_of(path, 0, Tier.READINGS)
    sound = file.read_bytes()
    file.write_bytes(b"PAR1, or is it?")
    assert appender.do(Erase(flags=Flag.SIMULATED.value))["unread"]
    file.write_bytes(sound)
    with looking(path) as snapshot:
        assert snapshot.count(POWER, ALL_TIME, 1000) == 60
    assert appender.do(Erase(flags=Flag.SIMULATED.value)) == {"erased": 20}
    with looking(path) as snapshot:
        assert snapshot.count(POWER, ALL_TIME, 1000) == 40
        (latest,) = snapshot.latest()
        assert (latest.time_us, latest.value) == (real[-1].time_us, 1.0)


@pytest.mark.parametrize(
    ("over", "newest"),
    [
        ([*minutes(-9), *minutes(-8, 2.5)], (NOON_US - 8 * DAY_US + 19 * 60 * SECOND_US, 2.5)),
        ([*minutes(-9), *minutes(-8, "on")], (NOON_US - 8 * DAY_US, "")),
    ],
)
def test_series_of_which_rollups_are_left_stays_when_the_rest_is_erased_by_flag(
    appender: StoreAppender,
    tmp_path: Path,
    over: list[Reading],
    newest: tuple[int, float | str],
) -> None:
    """Its newest reading is what the last rollup says, and what is over does not come again."""
    path = tmp_path / "culex.db"
    arrive(appender, [*over, *minutes(0, 9.0, flags=Flag.SIMULATED)])
    appender.do(Retain(NOON_US, TWO_DAYS))
    numbers = sum(not isinstance(one.value, str) for one in over)
    for _ in range(2):
        appender.do(Erase(flags=Flag.SIMULATED.value))
        with looking(path) as snapshot:
            (latest,) = snapshot.latest()
            assert (latest.time_us, latest.value, latest.flags) == (*newest, 0)
            assert latest.received_us == latest.time_us
            found = snapshot.buckets(POWER, ALL_TIME, HOUR_US).frame
            assert found["count"].sum() == numbers
    arrive(appender, over)
    with looking(path) as snapshot:
        assert snapshot.buckets(POWER, ALL_TIME, HOUR_US).frame["count"].sum() == numbers
        assert snapshot.count(POWER, ALL_TIME, 1000) == 0


def test_late_reading_does_not_hide_the_rollups_after_it(
    appender: StoreAppender, tmp_path: Path
) -> None:
    """The last rollup is newer than what is left of the readings."""
    path = tmp_path / "culex.db"
    arrive(appender, [*minutes(-8, 2.5), *minutes(0, 9.0, flags=Flag.SIMULATED)])
    appender.do(Retain(NOON_US, TWO_DAYS))
    appender.append(Batch(minutes(-9, 7.0)))
    appender.do(Erase(flags=Flag.SIMULATED.value))
    with looking(path) as snapshot:
        assert snapshot.buckets(POWER, ALL_TIME, HOUR_US).frame["count"].sum() == 40
        (latest,) = snapshot.latest()
        assert (latest.value, latest.flags) == (2.5, 0)


def test_many_small_series_are_erased_in_few_transactions(
    appender: StoreAppender, tmp_path: Path
) -> None:
    """Two hundred series in one, in the head as in the catalog."""
    many = [Series("boiler", f"m{n}") for n in range(450)]
    arrivals = [
        Arrival(Account(one.client, NOON_US), [Reading(one, NOON_US, 1.0)])
        for one in [*many, OTHER]
    ]
    appender.append(Batch(arrivals=arrivals))
    commits: list[str] = []
    appender._connection.set_trace_callback(
        lambda statement: commits.append(statement) if statement == "COMMIT" else None
    )
    assert appender.do(Erase("boiler")) == {"erased": 450}
    assert 3 + 3 <= len(commits) <= 3 + 3 + 3  # the task and the news beside
    assert clients(tmp_path / "culex.db") == {OTHER.client}


def test_no_transaction_removes_more_readings_than_fit(
    appender: StoreAppender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However they are spread over series, and every hour is accounted for."""
    monkeypatch.setattr(table, "ERASED_AT_ONCE", 50)
    sizes = [1, 49, 50, 51, 0, 120, 3, 3, 7, 40]
    arrivals = [
        Arrival(
            Account("boiler", NOON_US),
            [Reading(Series("boiler", f"m{m}"), NOON_US + n, 1.0) for n in range(size)],
        )
        for m, size in enumerate(sizes)
    ]
    appender.append(Batch(arrivals=arrivals))
    removed: list[int] = []
    real = Eraser._erase_step

    def noted(self: Eraser, doomed: Sequence[Doomed], start_us: int) -> Erased:
        done = real(self, doomed, start_us)
        removed.append(done.readings.total())
        return done

    with mock.patch.object(Eraser, "_erase_step", noted):
        assert appender.do(Erase("boiler")) == {"erased": sum(sizes)}
    assert max(removed) == 50
    assert len(removed) == -(-sum(sizes) // 50)
    assert clients(tmp_path / "culex.db") == set()
