"""The ledger: whatever arrives in whatever order, it adds up and says what the rows say."""

import sqlite3
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.batch import Arrival, Batch, Release
from telemetry.interface import Appender
from telemetry.job import Erase
from telemetry.ledger import Account, LedgerRow, Outcome, Tally
from telemetry.quarantine import Choice, Quarantined
from telemetry.reading import Flag, Reading, Series
from telemetry.store import open_appender
from telemetry.window import ALL_TIME, HOUR_US, Window
from tests.telemetry.builders import looking, reading, steady

NOON_US = 500_000 * HOUR_US
HERE = Account("boiler", NOON_US)


def at(offset_us: int, value: float = 1.0, delay_us: int = 0, flags: int = 0) -> Reading:
    """A reading that arrived in the hour of NOON_US."""
    return reading(NOON_US + offset_us - delay_us, value, delay_us=delay_us, flags=flags)


def refused(reason: str = "malformed-json", **counts: int) -> Quarantined:
    """A message that could not be read."""
    return Quarantined(HERE, NOON_US + 1, "clients/boiler", b"{", reason, **counts)  # type: ignore[arg-type]  # by name


def ledger(path: Path) -> list[LedgerRow]:
    """The whole ledger."""
    with looking(path) as snapshot:
        return list(snapshot.ledger(None, ALL_TIME))


def assert_adds_up(path: Path) -> None:
    """The ledger says what the rows say."""
    with looking(path) as snapshot:
        assert snapshot.recount() == []


def test_ledger_counts_each_message_and_reading_by_outcome(appender: Appender, path: Path) -> None:
    """New, known and refused messages of one hour stand in one row that adds up."""
    new = Arrival(HERE, [at(1), at(2)])
    half_new = Arrival(HERE, [at(2), at(3)])
    known = Arrival(HERE, [at(1)])
    partly = Arrival(HERE, [at(4)], apart=((Outcome.QUARANTINED, 2), (Outcome.HELD, 1)))
    bad = Arrival(HERE, (), Outcome.QUARANTINED)
    limited = Arrival(HERE, (), Outcome.LIMITED)
    noted = Arrival(HERE, (), Outcome.STORED)
    kept = [refused(), refused(outcome=None, quarantined=2, held=1)]
    arrivals = [new, half_new, known, partly, bad, limited, noted]
    appender.append(Batch(arrivals=arrivals, quarantined=kept))
    (row,) = ledger(path)
    assert row.account == HERE
    assert row.messages == Tally(7, stored=4, duplicate=1, quarantined=1, limited=1)
    assert row.readings == Tally(9, stored=4, duplicate=2, quarantined=2, held=1)
    assert_adds_up(path)


def test_ledger_goes_by_the_hour_of_receipt(appender: Appender, path: Path) -> None:
    """A reading of yesterday that arrives today is accounted for today, erased or not."""
    late = at(5, delay_us=24 * HOUR_US)
    appender.append(Batch(arrivals=[Arrival(HERE, [late])]))
    assert [row.account for row in ledger(path)] == [HERE]
    assert_adds_up(path)
    assert appender.do(Erase(client="boiler"))["erased"] == 1
    assert [(row.readings.stored, row.erased) for row in ledger(path)] == [(1, 1)]
    assert_adds_up(path)


def test_ledger_takes_part_in_the_transaction(appender: Appender, path: Path) -> None:
    """A batch that fails leaves neither readings nor counts."""
    broken = Arrival(HERE, [at(1), at(2)._replace(value=object())])  # type: ignore[arg-type]  # the fault
    with pytest.raises(sqlite3.Error):
        appender.append(Batch(arrivals=[broken], quarantined=[refused()]))
    assert ledger(path) == []
    with looking(path) as snapshot:
        assert list(snapshot.quarantine()) == []


def test_recount_notices_a_row_that_went_missing(appender: Appender, path: Path) -> None:
    """A reading or a quarantined message removed behind the ledger's back is found."""
    arrivals = [Arrival(HERE, [at(1), at(2)]), Arrival(HERE, (), Outcome.QUARANTINED)]
    appender.append(Batch(arrivals=arrivals, quarantined=[refused()]))
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM reading WHERE time_us = ?", (NOON_US + 1,))
    connection.execute("DELETE FROM quarantine")
    connection.commit()
    connection.close()
    with looking(path) as snapshot:
        found = {one.what: (one.ledger, one.found) for one in snapshot.recount()}
    assert found == {"readings in the store": (2, 1), "messages in quarantine": (1, 0)}


def test_recount_leaves_our_own_series_out(appender: Appender, path: Path) -> None:
    """What the collector measures of itself arrived in no message."""
    own = reading(NOON_US, series=Series("collector", "memory"))
    appender.append(Batch([own]))
    assert ledger(path) == []
    assert_adds_up(path)


def test_migration_accounts_for_readings_from_before(path: Path) -> None:
    """A store of version 1 has a ledger that adds up when it is opened."""
    script = (Path(__file__).parents[3] / "telemetry/store/readings.sql").read_text("utf-8")
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.execute("INSERT INTO series VALUES (1, 'boiler', 'm', 'number', '', 1, 1.0, 1, 0)")
    rows = [(1, NOON_US + n, 1.0, n * HOUR_US, 0) for n in range(3)]
    connection.executemany("INSERT INTO reading VALUES (?, ?, ?, ?, ?)", rows)
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    open_appender(path).close()
    assert [row.readings.stored for row in ledger(path)] == [1, 1, 1]
    assert_adds_up(path)


@pytest.mark.parametrize("again", [False, True])
def test_release_of_an_unreadable_message_stores_it_once(
    appender: Appender, path: Path, *, again: bool
) -> None:
    """It leaves quarantine with its readings; doing it twice changes nothing."""
    bad = Arrival(HERE, (), Outcome.QUARANTINED)
    appender.append(Batch(arrivals=[bad], quarantined=[refused()]))
    (entry,) = appender.quarantined(Choice(), 0, 10)
    release = Release(entry.id, Arrival(HERE, [at(1, flags=Flag.REPLAYED), at(2)]))
    for _ in range(1 + again):
        appender.append(Batch(releases=[release]))
    (row,) = ledger(path)
    assert (row.messages, row.readings) == (Tally(1, stored=1), Tally(2, stored=2))
    assert appender.quarantined(Choice(), 0, 10) == []
    assert_adds_up(path)


def test_release_of_one_bad_value_leaves_the_good_ones_counted_once(
    appender: Appender, path: Path
) -> None:
    """The values that were good the first time are neither new nor duplicates now."""
    partly = Arrival(HERE, [at(1, 1.0)], apart=((Outcome.QUARANTINED, 1),))
    kept = refused(outcome=None, quarantined=1, good=1)
    appender.append(Batch(arrivals=[partly], quarantined=[kept]))
    (entry,) = appender.quarantined(Choice(), 0, 10)
    release = Release(entry.id, Arrival(HERE, [at(1, 1.0), at(1, 2.0)]))
    appender.append(Batch(releases=[release]))
    (row,) = ledger(path)
    assert (row.messages, row.readings) == (Tally(1, stored=1), Tally(2, stored=2))
    assert_adds_up(path)


def test_release_of_mixed_values_takes_back_what_was_counted(
    appender: Appender, path: Path
) -> None:
    """However often it stays, good values are counted once, and so are all the others."""
    rest = ((Outcome.QUARANTINED, 1), (Outcome.RETAINED, 2), (Outcome.LIMITED, 3))
    partly = Arrival(HERE, [at(1), at(2)], apart=rest)
    kept = refused(outcome=None, quarantined=1, retained=2, limited=3, good=2)
    appender.append(Batch(arrivals=[Arrival(HERE, [at(1)])]))
    appender.append(Batch(arrivals=[partly], quarantined=[kept]))
    before = ledger(path)
    for _ in range(2):
        (entry,) = appender.quarantined(Choice(), 0, 10)
        appender.append(Batch(releases=[Release(entry.id, partly, kept)]))
        assert ledger(path) == before
    (row,) = before
    assert row.readings == Tally(9, 2, 1, retained=2, quarantined=1, limited=3)
    assert_adds_up(path)


def test_release_to_another_client_leaves_the_good_values_where_they_were(
    appender: Appender, path: Path
) -> None:
    """A template that names another client moves what was wrong, however often it is replayed."""
    bad = ((Outcome.QUARANTINED, 1),)
    there = Account("kettle", NOON_US)
    kept = refused(outcome=None, quarantined=1, good=1)
    appender.append(Batch(arrivals=[Arrival(HERE, [at(1)], apart=bad)], quarantined=[kept]))
    again = replace(kept, account=there)
    now = Arrival(there, [at(1)._replace(series=Series("kettle", "m"))], apart=bad)
    (entry,) = appender.quarantined(Choice(), 0, 10)
    for _ in range(3):
        appender.append(Batch(releases=[Release(entry.id, now, again)]))
        here, moved = ledger(path)
        assert (here.readings, here.messages) == (Tally(1, 1), Tally(1, 1))
        assert (moved.readings, moved.messages) == (Tally(2, 1, quarantined=1), Tally())
    assert_adds_up(path)


def test_release_that_stays_keeps_its_new_reason(appender: Appender, path: Path) -> None:
    """What is still wrong stays in quarantine, accounted for as before."""
    bad = Arrival(HERE, (), Outcome.QUARANTINED)
    appender.append(Batch(arrivals=[bad], quarantined=[refused()]))
    (entry,) = appender.quarantined(Choice(), 0, 10)
    still = Arrival(HERE, (), Outcome.HELD, ((Outcome.HELD, 1),))
    now = refused("future", outcome=Outcome.HELD, held=1)  # type: ignore[arg-type]  # by name
    appender.append(Batch(releases=[Release(entry.id, still, now)]))
    (row,) = ledger(path)
    assert (row.messages, row.readings) == (Tally(1, held=1), Tally(1, held=1))
    assert [one.message.reason for one in appender.quarantined(Choice("future"), 0, 9)] == [
        "future"
    ]
    assert_adds_up(path)


clients = st.sampled_from(["a", "b", ""])
moments = st.integers(0, 5)
values = st.sampled_from([1.0, 2.0])


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[Arrival, Quarantined | None]:
    """A message of any outcome, with what quarantine keeps of it."""
    client, hour = draw(clients), draw(st.integers(0, 1))
    where = Account(client, hour * HOUR_US)
    brought = draw(st.lists(st.tuples(moments, values), max_size=3)) if client else []
    readings = [
        Reading(Series(client, "m"), time_us, value, delay_us=hour * HOUR_US)
        for time_us, value in brought
    ]
    bad, held = draw(st.integers(0, 2)), draw(st.integers(0, 2))
    if not readings and not bad and not held:
        outcome = draw(st.sampled_from(list(Outcome)))
    else:
        outcome = Outcome.QUARANTINED if bad else Outcome.HELD
    kept = outcome in (Outcome.QUARANTINED, Outcome.HELD) and not readings
    if readings:
        outcome = Outcome.DUPLICATE
    apart = ((Outcome.QUARANTINED, bad), (Outcome.HELD, held))
    if not kept and not bad and not held:
        return Arrival(where, readings, outcome, apart), None
    return Arrival(where, readings, outcome, apart), Quarantined(
        where, hour * HOUR_US, "t", b"x", "r", "", outcome if kept else None, bad, held
    )


@steady
@given(
    batches=st.lists(st.lists(arrivals(), max_size=4), max_size=5),
    erased=st.sampled_from([None, "a"]),
    rescued=st.lists(st.tuples(moments, values), max_size=3),
)
def test_ledger_adds_up_whatever_arrives(
    batches: list[list[tuple[Arrival, Quarantined | None]]],
    erased: str | None,
    rescued: list[tuple[int, float]],
) -> None:
    """Messages of any outcome, repeated at will, an erased client and a replay keep it exact."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "culex.db"
        appender = open_appender(path)
        for batch in batches:
            kept = [one for _, one in batch if one is not None]
            appender.append(Batch(arrivals=[one for one, _ in batch], quarantined=kept))
        if erased:
            appender.do(Erase(client=erased))
        for entry in appender.quarantined(Choice(), 0, 3):
            readings = [Reading(Series("a", "m"), when, value) for when, value in rescued]
            arrival = Arrival(Account("a", 0), readings)
            appender.append(Batch(releases=[Release(entry.id, arrival)]))
        appender.close()
        with looking(path) as snapshot:
            assert snapshot.recount() == []
            received = sum(row.messages.received for row in snapshot.ledger(None, ALL_TIME))
        assert received == sum(map(len, batches))


def test_ledger_of_all_is_that_of_each(appender: Appender, path: Path) -> None:
    """Asked for one client, for another, or for all: the same rows, in order, in the window."""
    accounts = [Account(name, NOON_US + n * HOUR_US) for name in ("", "b", "a") for n in range(3)]
    appender.append(Batch(arrivals=[Arrival(one, (), Outcome.LIMITED) for one in accounts]))
    window = Window(NOON_US, NOON_US + 2 * HOUR_US)
    with looking(path) as snapshot:
        every = [row.account for row in snapshot.ledger(None, window)]
        assert every == sorted(one for one in accounts if one.hour_us < window.end_us)
        each = [row.account for name in ("", "a", "b") for row in snapshot.ledger(name, window)]
        assert every == each
        assert not snapshot.ledger("c", window)


def test_series_arrive_since_the_ledger_knows_their_client(appender: Appender, path: Path) -> None:
    """A metric that came later began then; an hour that was imported was before there was any."""
    metrics = [Series("boiler", name) for name in ("old", "new")]
    garbage = Account("boiler", NOON_US - HOUR_US)  # no reading of it: nothing was expected yet
    appender.append(Batch(arrivals=[Arrival(garbage, (), Outcome.QUARANTINED)]))
    appender.append(Batch([reading(NOON_US - 9 * HOUR_US, series=metrics[0])]))
    new = reading(NOON_US + 5, series=metrics[1])
    appender.append(Batch(arrivals=[Arrival(HERE, [at(1)]), Arrival(HERE, [new])]))
    appender.append(Batch([reading(7, series=Series("alone", "m"))]))
    with looking(path) as snapshot:
        begun = snapshot.begun()
    assert begun == {
        metrics[0]: NOON_US,
        metrics[1]: NOON_US + 5,
        at(1).series: NOON_US + 1,
        Series("alone", "m"): 7,
    }
