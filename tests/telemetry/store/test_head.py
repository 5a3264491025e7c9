"""The write side of the head: identity, atomicity, durability, deliveries, erasing."""

import os
import signal
import sqlite3
import stat
from pathlib import Path
from random import Random

import pytest

from telemetry.batch import DELIVERIES_KEPT, Batch, Committed
from telemetry.interface import Appender, StoreError, StoreMissing, StoreUnavailable
from telemetry.job import Erase
from telemetry.reading import Flag, Kind, Series
from telemetry.store import open_appender, table
from telemetry.store.appender import StoreAppender
from telemetry.store.head import faults, limit_time, open_reader
from telemetry.window import Window
from tests.telemetry.builders import (
    SERIES,
    decoded,
    fill,
    looking,
    on_small_disk,
    reading,
    values,
)

ALL = Window(-(1 << 60), 1 << 60)
ROOT = Path(__file__).resolve().parents[3]


def stored(path: Path, series: Series = SERIES) -> list[tuple[int, float | str]]:
    """Every reading of a series as (time, value)."""
    with looking(path) as snapshot:
        return values(snapshot.read(series, ALL))


def newest(path: Path) -> tuple[int, float | str, int, int]:
    """The newest reading of the one series: time, value, received, flags."""
    with looking(path) as snapshot:
        (latest,) = snapshot.latest()
        return latest.time_us, latest.value, latest.received_us, latest.flags


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (["heating", "off"] * 30, Kind.STATE),
        (["off", "heating", "on"], Kind.STATE),
        (["off", "on"], Kind.BOOLEAN),
        ([20.5, "unavailable", 21.0], Kind.NUMBER),
        (["unavailable", 20.5, "off"], Kind.NUMBER),
    ],
)
def test_kind_of_a_series_climbs_and_never_falls(
    path: Path, said: list[float | str], kind: Kind
) -> None:
    """Boolean, then state, then number: in one batch or in many, in time's order or against it."""
    readings = decoded(*said)
    for number, batches in enumerate([[readings], [[one] for one in readings], [readings[::-1]],
                                      [[one] for one in readings[::-1]]]):  # fmt: skip
        store = path.with_name(f"{number}.db")
        for batch in batches:
            fill(store, batch)
        with looking(store) as snapshot:
            assert [latest.kind for latest in snapshot.latest()] == [kind]


def delivery(packet_id: int, digest: bytes) -> bytes:
    """What identifies a delivery."""
    return packet_id.to_bytes(2, "big") + digest


def sequence(path: Path) -> int:
    """The store's sequence number."""
    with looking(path) as snapshot:
        return snapshot.sequence


def test_reading_that_comes_again_is_a_duplicate(appender: Appender, path: Path) -> None:
    """Same series, time and value are the same reading, whatever else differs."""
    assert appender.append(Batch([reading(1), reading(1)])) == Committed(1, 1)
    again = reading(1, delay_us=7, flags=Flag.REDELIVERED)
    assert appender.append(Batch([again])) == Committed(0, 1)
    assert stored(path) == [(1, 1.0)]


def test_reading_with_another_value_at_the_same_time_is_a_second_one(
    appender: Appender, path: Path
) -> None:
    """Same time, other value: both are kept."""
    assert appender.append(Batch([reading(1, 1.0), reading(1, 2.0)])) == Committed(2, 0)
    assert stored(path) == [(1, 1.0), (1, 2.0)]


def test_reading_comes_back_exactly_as_it_went_in(appender: Appender, path: Path) -> None:
    """Extreme numbers, states of any letters and times before 1970 survive."""
    given = [
        reading(-5, -1.7976931348623157e308),
        reading(0, 5e-324),
        reading(1, 0.1),
        reading(2, "an <b>ünï</b> \0 state"),
        reading(253_402_300_799_999_999, 3.0),
    ]
    appender.append(Batch(given))
    assert stored(path) == [(one.time_us, one.value) for one in given]


def test_reading_with_a_whole_number_is_a_number(appender: Appender, path: Path) -> None:
    """An int where a float was meant is read as that float and counted in buckets."""
    appender.append(Batch([reading(1, 5)]))
    assert stored(path) == [(1, 5.0)]
    with looking(path) as snapshot:
        assert list(snapshot.buckets(SERIES, Window(0, 10), 10).frame["sum"]) == [5.0]


def test_newest_value_is_not_rewound_by_a_late_reading(appender: Appender, path: Path) -> None:
    """A late reading is stored in its place and leaves the newest value alone."""
    appender.append(Batch([reading(10, 1.0)]))
    appender.append(Batch([reading(5, 9.0)]))
    assert newest(path)[:2] == (10, 1.0)
    assert stored(path) == [(5, 9.0), (10, 1.0)]


def test_newest_value_of_a_batch_out_of_order_is_its_latest(appender: Appender, path: Path) -> None:
    """Within a batch too, time decides and not arrival."""
    appender.append(Batch([reading(10, 1.0), reading(30, 3.0), reading(20, 2.0)]))
    assert newest(path)[:2] == (30, 3.0)


def test_newest_value_at_one_instant_is_the_last_that_arrived(
    appender: Appender, path: Path
) -> None:
    """Of two readings of one instant the later arrival is shown, in one batch or in two."""
    appender.append(Batch([reading(10, "off"), reading(10, "on")]))
    assert newest(path)[:2] == (10, "on")
    appender.append(Batch([reading(10, "idle")]))
    assert newest(path)[:2] == (10, "idle")


def test_newest_value_is_not_touched_by_a_duplicate(appender: Appender, path: Path) -> None:
    """A redelivery or a retained copy is no sign of life and turns nothing back."""
    appender.append(Batch([reading(10, 1.0), reading(10, 2.0)]))
    before, number = newest(path), sequence(path)
    late = [reading(10, value, delay_us=99, flags=Flag.RETAINED) for value in (2.0, 1.0)]
    assert appender.append(Batch(late)) == Committed(0, 2)
    assert (newest(path), sequence(path)) == (before, number)


@pytest.mark.parametrize("apart", [True, False])
def test_newest_of_a_series_is_the_same_in_one_batch_and_in_several(
    appender: Appender, path: Path, apart: bool
) -> None:
    """Its unit is the last that was sent with one not older; what contradicts it flags it."""
    sent = [reading(1), reading(3, 1.0, unit="W"), reading(2, unit="V"), reading(3, 2.0)]
    for batch in [[one] for one in sent] if apart else [sent]:
        appender.append(Batch(batch))
    with looking(path) as snapshot:
        (latest,) = snapshot.latest()
    assert (latest.unit, latest.value, latest.flags) == ("W", 2.0, Flag.CONFLICT)


def test_unit_of_a_series_survives_a_reading_without_one(appender: Appender, path: Path) -> None:
    """The unit last sent with a value stays until another is sent."""
    appender.append(Batch([reading(1, unit="°C"), reading(2)]))
    with looking(path) as snapshot:
        assert snapshot.latest()[0].unit == "°C"


def test_batch_with_a_value_sqlite_refuses_leaves_nothing(appender: Appender, path: Path) -> None:
    """A fault in the middle of a batch undoes the readings, series and deliveries before it."""
    appender.append(Batch([reading(1)], deliveries=[delivery(1, b"a" * 16)]))
    refused = reading(0, object())  # type: ignore[arg-type]  # the fault, among older readings
    batch = [reading(2), reading(2, series=Series("new", "m")), refused]
    with pytest.raises(sqlite3.Error):
        appender.append(Batch(batch, deliveries=[delivery(2, b"b" * 16)], forget_deliveries=True))
    assert stored(path) == [(1, 1.0)]
    assert stored(path, Series("new", "m")) == []
    assert appender.deliveries() == [delivery(1, b"a" * 16)]
    assert appender.append(Batch(batch[:2])) == Committed(2, 0)


@pytest.mark.parametrize("time_us", [0, 2])
def test_batch_with_a_nan_is_refused_whole(appender: Appender, path: Path, time_us: int) -> None:
    """A value that is no number is never taken for a duplicate."""
    appender.append(Batch([reading(1)]))
    with pytest.raises(sqlite3.IntegrityError):
        appender.append(Batch([reading(3), reading(time_us, float("nan"))]))
    assert stored(path) == [(1, 1.0)]


def test_sequence_grows_only_when_something_is_stored(appender: Appender, path: Path) -> None:
    """Duplicates, empty batches, reports and erasing nothing are no news."""
    appender.append(Batch([reading(1)]))
    before = sequence(path)
    appender.append(Batch([reading(1)]))
    appender.append(Batch(deliveries=[delivery(1, b"d" * 16)]))
    appender.report({"beat_us": 1})
    appender.do(Erase(client="nobody"))
    assert sequence(path) == before
    appender.append(Batch([reading(2)]))
    assert sequence(path) == before + 1


def test_deliveries_survive_reopening_oldest_first(path: Path) -> None:
    """A new writer remembers what the last one acknowledged, and goes on behind it."""
    given = [delivery(number, bytes([number]) * 16) for number in (1, 2, 3)]
    for one in given:
        appender = open_appender(path)
        appender.append(Batch(deliveries=[one]))
        appender.close()
    appender = open_appender(path)
    assert appender.deliveries() == given
    appender.close()


def test_deliveries_beyond_the_ring_are_the_oldest(appender: Appender) -> None:
    """The newest 20 000 deliveries stay, and no more than the batch they are in goes with them."""
    given = [delivery(n % 65535 + 1, n.to_bytes(16, "big")) for n in range(DELIVERIES_KEPT + 1500)]
    for start in range(0, len(given), 1000):
        appender.append(Batch(deliveries=given[start : start + 1000]))
    kept = appender.deliveries()
    assert kept == given[-len(kept) :]
    assert DELIVERIES_KEPT <= len(kept) < DELIVERIES_KEPT + 1000


def test_deliveries_after_failed_commits_are_still_the_newest(appender: Appender) -> None:
    """Batches that were not stored use up no place in the ring."""
    given = [delivery(1, n.to_bytes(16, "big")) for n in range(DELIVERIES_KEPT + 10)]
    for number in range(DELIVERIES_KEPT // 1000):
        appender.append(Batch(deliveries=given[number * 1000 : (number + 1) * 1000]))
    refused = [reading(1, object())]  # type: ignore[arg-type]  # the fault
    for _ in range(9):
        with pytest.raises(sqlite3.Error):
            appender.append(Batch(refused, deliveries=given[:2000]))
    appender.append(Batch(deliveries=given[DELIVERIES_KEPT:]))
    kept = appender.deliveries()
    assert kept == given[-len(kept) :]
    assert DELIVERIES_KEPT <= len(kept) < DELIVERIES_KEPT + 1000


def test_deliveries_forgotten_are_gone_before_the_new_ones(appender: Appender) -> None:
    """When the broker lost the session, only deliveries of the new one are remembered."""
    appender.append(Batch(deliveries=[delivery(1, b"o" * 16)]))
    appender.append(Batch(deliveries=[delivery(1, b"n" * 16)], forget_deliveries=True))
    assert appender.deliveries() == [delivery(1, b"n" * 16)]


def test_erase_of_a_client_takes_all_of_it_and_nothing_else(appender: Appender, path: Path) -> None:
    """A client's series and readings go; others stay."""
    other = Series("other", "m")
    appender.append(Batch([reading(1), reading(2), reading(1, series=other)]))
    before = sequence(path)
    assert appender.do(Erase(client=SERIES.client))["erased"] == 2
    assert stored(path) == []
    assert stored(path, other) == [(1, 1.0)]
    assert newest(path)[0] == 1
    assert sequence(path) > before
    assert appender.append(Batch([reading(1)])) == Committed(1, 0)


def test_erase_of_very_many_readings_goes_in_steps(
    appender: Appender, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many there are, all of them go and none of the others."""
    monkeypatch.setattr(table, "ERASED_AT_ONCE", 7)
    appender.append(Batch([reading(n, flags=16 * (n % 3 > 0)) for n in range(100)]))
    assert appender.do(Erase(flags=Flag.SIMULATED))["erased"] == 66
    assert [time_us for time_us, _ in stored(path)] == list(range(0, 100, 3))
    assert appender.do(Erase(client=SERIES.client))["erased"] == 34
    assert stored(path) == []


def test_erase_by_flag_renews_the_newest_value(appender: Appender, path: Path) -> None:
    """When the newest reading goes, the newest that stays takes its place."""
    real = reading(1, 1.0, delay_us=3, flags=Flag.LATE)
    appender.append(Batch([real, reading(2, 2.0, flags=Flag.SIMULATED | Flag.LATE)]))
    assert appender.do(Erase(flags=Flag.SIMULATED))["erased"] == 1
    assert newest(path) == (1, 1.0, 4, Flag.LATE)
    assert appender.do(Erase(flags=Flag.SIMULATED))["erased"] == 0


def test_erase_by_client_and_flag_takes_only_what_is_both(appender: Appender, path: Path) -> None:
    """Client and flag together narrow each other."""
    other = Series("other", "m")
    simulated = [reading(1, flags=16), reading(1, flags=16, series=other)]
    appender.append(Batch([*simulated, reading(2)]))
    assert appender.do(Erase(client=SERIES.client, flags=Flag.SIMULATED))["erased"] == 1
    assert (stored(path), stored(path, other)) == ([(2, 1.0)], [(1, 1.0)])


def test_reader_before_the_first_collector_finds_no_store_and_makes_none(path: Path) -> None:
    """A question before there is a store says so and leaves no file."""
    with pytest.raises(StoreMissing, match="start the collector"):
        open_reader(path)
    assert list(path.parent.iterdir()) == []


def test_reader_of_a_store_not_set_up_yet_finds_no_store(path: Path) -> None:
    """Between making the file and its tables, there is no store yet."""
    path.touch()
    with pytest.raises(StoreMissing, match="start the collector"):
        open_reader(path)


def test_reader_cannot_write(path: Path) -> None:
    """A reader's connection refuses every change."""
    connection = open_reader(fill(path, [reading(1)]))
    with pytest.raises(StoreUnavailable, match="make its folder yours"), faults(path):
        connection.execute("DELETE FROM reading")
    connection.close()


def test_question_beyond_its_time_ends_with_a_sentence(path: Path) -> None:
    """No question holds a thread for longer than its limit."""
    connection = open_reader(fill(path, []))
    limit_time(connection, 0)
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    with pytest.raises(StoreUnavailable, match="took too long"), faults(path):
        connection.execute(endless).fetchone()
    connection.close()


def test_store_of_a_later_version_is_refused_by_writer_and_reader(path: Path) -> None:
    """Neither side touches a schema that it does not know."""
    fill(path, [])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    for opened in (open_appender, open_reader):
        with pytest.raises(StoreError, match="later version of Culex; update Culex"):
            opened(path)


def test_store_that_is_garbage_is_refused_with_a_sentence(path: Path) -> None:
    """A file that is no database is named, unchanged."""
    path.write_bytes(b"not a database, " * 500)
    for opened in (open_appender, open_reader):
        with pytest.raises(StoreError, match=r"is damaged .* restore it from a backup"):
            opened(path)
    assert path.read_bytes() == b"not a database, " * 500


def test_store_in_a_folder_that_is_missing_is_unavailable(tmp_path: Path) -> None:
    """The sentence says that the file cannot be opened and what to check."""
    with pytest.raises(StoreUnavailable, match="cannot be opened; check the owner"):
        open_appender(tmp_path / "missing" / "culex.db")


def test_close_twice_is_safe(appender: Appender) -> None:
    """Closing what is closed does nothing."""
    appender.close()
    appender.close()


def test_batch_on_a_full_store_is_undone_and_fits_when_there_is_space(path: Path) -> None:
    """Full: StoreUnavailable, nothing half stored; with space again the same batch goes in."""
    appender = StoreAppender(path)
    appender.append(Batch([reading(0)]))
    connection = appender._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    batch = Batch(
        [reading(n, "x" * 500) for n in range(1, 200)], deliveries=[delivery(1, b"d" * 16)]
    )
    with pytest.raises(StoreUnavailable, match="disk is full; free some space"):
        appender.append(batch)
    assert (stored(path), appender.deliveries()) == ([(0, 1.0)], [])
    connection.execute("PRAGMA max_page_count = 100000")
    assert appender.append(batch) == Committed(199, 0)
    appender.close()


ON_SMALL_DISK = """
import sys
from pathlib import Path
from telemetry.interface import Batch, StoreUnavailable
from telemetry.store import open_appender, open_querier
from telemetry.window import Window
from tests.telemetry.builders import SERIES, reading, values

folder = Path(sys.argv[1])
ballast = folder / "ballast"
ballast.write_bytes(bytes(1_000_000))
appender = open_appender(folder / "culex.db")
committed = 0

def batch():
    return Batch([reading(committed * 100 + n, "x" * 300) for n in range(100)])

try:
    while committed < 1000:
        appender.append(batch())
        committed += 1
except StoreUnavailable as error:
    print(error)

def intact():
    with open_querier(folder / "culex.db").snapshot() as snapshot:
        found = values(snapshot.read(SERIES, Window(0, 1 << 60)))
    return [time_us for time_us, _ in found] == list(range(committed * 100))

print(0 < committed < 1000, intact())
ballast.unlink()
appender.append(batch())
committed += 1
print(intact())
"""


def test_disk_that_is_full_stops_the_writer_until_there_is_space(tmp_path: Path) -> None:
    """On a real full disk every committed reading stays readable, and writing goes on later."""
    done = on_small_disk(tmp_path, 3, ON_SMALL_DISK)
    lines = done.stdout.splitlines()
    assert lines[0].endswith("the disk is full; free some space, it goes on by itself"), done.stderr
    assert lines[1:] == ["True True", "True"], done.stderr


def append_until_killed(path: Path, first: int, pipe: int) -> None:
    """Appends numbered readings and says each number when it is committed."""
    appender = open_appender(path)
    for number in range(first, first + 1_000_000):
        appender.append(Batch([reading(number), reading(number, series=Series("b", "m"))]))
        os.write(pipe, b"%d\n" % number)


def said_until_killed(path: Path, first: int, after: int) -> list[int]:
    """The numbers a child said, which is killed once it has said `after` of them."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(readable)
        try:
            append_until_killed(path, first, writable)
        finally:
            os._exit(1)
    os.close(writable)
    with os.fdopen(readable, "rb") as lines:
        said = [int(lines.readline()) for _ in range(after)]
        os.kill(child, signal.SIGKILL)
        said += [int(line) for line in lines if line.endswith(b"\n")]
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL
    return said


def test_writer_killed_again_and_again_loses_nothing_it_said_was_committed(path: Path) -> None:
    """After each kill -9 all that was said is there, and each batch is whole or absent."""
    said: list[int] = []
    random = Random(5)
    for _ in range(12):
        first = said[-1] + 2 if said else 0
        said += said_until_killed(path, first, random.randrange(1, 25))
        there, other = stored(path), stored(path, Series("b", "m"))
        assert there == other
        assert set(said) <= {time_us for time_us, _ in there}
        assert len(there) <= said[-1] + 2
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_store_file_is_closed_to_other_accounts(tmp_path: Path) -> None:
    """Readings are behind a login: the files that hold them are not for everybody."""
    appender = open_appender(tmp_path / "culex.db", 1000)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    appender.close()
    assert modes == dict.fromkeys(("culex.db", "culex.db-wal", "culex.db-shm", "reserve"), 0o640)
