"""Quarantine: raw within bounds, counted beyond them, found by reason and topic."""

import sqlite3
import tracemalloc
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from telemetry import quarantine, store
from telemetry.batch import Arrival, Batch
from telemetry.interface import Appender
from telemetry.ledger import Account, Outcome
from telemetry.quarantine import (
    KEPT_BYTES,
    METRIC_CHARACTERS,
    TOPIC_BYTES,
    Choice,
    Entry,
    Group,
    Quarantined,
)
from telemetry.store import open_appender
from telemetry.store import quarantine as table
from telemetry.store.head import SCHEMA, open_writer
from telemetry.store.quarantine import QuarantineTable, read_entries
from tests.telemetry.builders import looking

HERE = Account("boiler", 0)
ENTRY_BYTES = len("{" + "t00" + "t00" + '{"retain":true}')


def refused(number: int, payload: bytes = b"{", topic: str = "t", reason: str = "r") -> Quarantined:
    """A message that could not be read."""
    return Quarantined(HERE, number, topic, payload, reason, facts='{"retain":true}')


def keep(appender: Appender, *messages: Quarantined) -> None:
    """Keeps them, with their place in the ledger."""
    arrivals = [Arrival(HERE, (), Outcome.QUARANTINED) for _ in messages]
    appender.append(Batch(arrivals=arrivals, quarantined=messages))


def followed(quarantine: QuarantineTable) -> tuple[dict[int, int], int, int]:
    """What the table knows without looking."""
    return dict(quarantine._kept), quarantine._messages, quarantine._bytes


def groups(path: Path) -> list[Group]:
    """What is in quarantine, by topic and reason."""
    with looking(path) as snapshot:
        assert snapshot.recount() == []
        return list(snapshot.quarantine())


@pytest.mark.parametrize("payload", [b"", b"{", bytes(range(256)), b"x" * KEPT_BYTES])
def test_quarantine_gives_a_message_back_as_it_came(appender: Appender, payload: bytes) -> None:
    """Topic, payload, time and facts survive to the byte."""
    message = refused(7, payload, "clients/ä b/<b>")
    keep(appender, message)
    (entry,) = appender.quarantined(Choice(), 0, 10)
    assert (entry.message, entry.whole, entry.size) == (message, True, len(payload))


def test_quarantine_cuts_a_payload_that_is_too_long_and_says_so(appender: Appender) -> None:
    """Of a huge payload the start and the size are kept; it cannot be replayed."""
    keep(appender, refused(1, b"x" * (KEPT_BYTES + 1)))
    (entry,) = appender.quarantined(Choice(), 0, 10)
    assert (entry.whole, entry.size) == (False, KEPT_BYTES + 1)
    assert entry.message.payload == b"x" * KEPT_BYTES


def test_quarantine_shows_a_topic_that_is_no_text_escaped(appender: Appender) -> None:
    """Bytes that are not UTF-8 do not break the store; what is written for them is no topic."""
    keep(appender, refused(1, topic="clients/\udcff"))
    (entry,) = appender.quarantined(Choice(), 0, 10)
    assert (entry.message.topic, entry.whole) == ("clients/\\udcff", False)


@pytest.mark.parametrize("letter", ["t", "ä", "\udcff"])
def test_quarantine_cuts_topic_and_metric_that_are_too_long(
    appender: Appender, letter: str
) -> None:
    """Long topics stay apart by a digest; they cannot be replayed."""
    topics = [letter * TOPIC_BYTES + end for end in "ab"]
    keep(appender, *(replace(refused(1, topic=one), metric="m" * 300) for one in topics))
    entries = appender.quarantined(Choice(), 0, 10)
    kept = [entry.message for entry in entries]
    assert not any(entry.whole for entry in entries)
    assert len({one.topic for one in kept}) == 2
    assert all(len(one.topic.encode()) <= TOPIC_BYTES for one in kept)
    assert {one.metric for one in kept} == {"m" * METRIC_CHARACTERS}
    assert appender.quarantined(Choice(topic=kept[0].topic), 0, 10) == entries[:1]


def test_quarantine_is_chosen_by_reason_and_topic_in_order_of_arrival(appender: Appender) -> None:
    """What is asked for comes, oldest first, in pages."""
    messages = [refused(n, topic=f"t{n % 2}", reason=f"r{n % 3}") for n in range(12)]
    keep(appender, *messages)
    chosen = appender.quarantined(Choice("r0", "t1"), 0, 10)
    assert [entry.message.received_us for entry in chosen] == [3, 9]
    rest = appender.quarantined(Choice("r0", "t1"), chosen[0].id, 10)
    assert [entry.message.received_us for entry in rest] == [9]


@pytest.mark.parametrize("choice", [Choice("r0", "t1"), Choice("r0"), Choice(topic="t1"), Choice()])
def test_quarantine_is_read_newest_first_in_pages(
    appender: Appender, path: Path, choice: Choice
) -> None:
    """Readers page back through what the writer has, each message once."""
    keep(appender, *(refused(n, topic=f"t{n % 2}", reason=f"r{n % 3}") for n in range(12)))
    every = [*appender.quarantined(choice, 0, 99)][::-1]
    found: list[Entry] = []
    with looking(path) as snapshot:
        while page := snapshot.quarantined(choice, found[-1].id if found else 99, 2):
            found += page
    assert found == every


def test_quarantine_is_told_by_client(appender: Appender, path: Path) -> None:
    """What is only counted has no topic, and still says whose it was."""
    elsewhere = replace(refused(1), account=Account("pump", 0))
    appender.append(Batch(quarantined=[refused(0), elsewhere]))
    with looking(path) as snapshot:
        assert sorted((one.client, one.messages) for one in snapshot.quarantine()) == [
            ("boiler", 1),
            ("pump", 1),
        ]


def test_quarantine_counts_what_it_does_not_keep(
    appender: Appender, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound of one topic and reason, messages are only counted, and still add up."""
    monkeypatch.setattr(table, "KEPT_PER_REASON", 3)
    keep(appender, *(refused(n) for n in range(10)))
    keep(appender, refused(10, reason="other"))
    assert groups(path) == [
        Group("t", "other", 10, 10, 1, 1, "boiler"),
        Group("", "r", 3, 9, 7, 0, "boiler"),
        Group("t", "r", 0, 2, 3, 3, "boiler"),
    ]


@pytest.mark.parametrize(
    ("bound", "most"), [("KEPT_MESSAGES", 5), ("KEPT_TOTAL_BYTES", 5 * ENTRY_BYTES)]
)
def test_quarantine_is_bounded_in_all(
    appender: Appender, path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    """However many topics are made up, no more than the bound is kept raw."""
    monkeypatch.setattr(table, bound, most)
    keep(appender, *(refused(n, topic=f"t{n:02}") for n in range(20)))
    assert sum(group.kept for group in groups(path)) == 5
    assert sum(group.messages for group in groups(path)) == 20


def test_quarantine_bounds_hold_after_reopening(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new writer knows what is kept already."""
    monkeypatch.setattr(table, "KEPT_PER_REASON", 3)
    for _ in range(3):
        appender = open_appender(path)
        keep(appender, refused(1), refused(2))
        appender.close()
    assert sorted((group.kept, group.messages) for group in groups(path)) == [(0, 3), (3, 3)]


def test_quarantine_knows_what_it_holds_whatever_leaves_and_stays(path: Path) -> None:
    """What is followed in memory is what a new writer counts, and nothing once all have left."""
    connection = open_writer(path)
    quarantine = QuarantineTable(connection)
    for number in range(6):
        metric = "ä" * number * 100
        quarantine.add(replace(refused(number, b"x" * number, f"ö{number}"), metric=metric))
    entries = read_entries(connection, Choice(), 0, 10)
    quarantine.renew(entries[0], replace(refused(0, reason="other"), metric="m" * 999))
    for entry in entries[1:3]:
        quarantine.remove(entry)
    fresh = QuarantineTable(connection)
    assert followed(quarantine) == followed(fresh)
    assert (fresh._messages, len(fresh._kept)) == (4, 4)
    for entry in read_entries(connection, Choice(), 0, 10):
        quarantine.remove(entry)
    assert followed(quarantine) == ({}, 0, 0)
    connection.close()


def test_quarantine_of_long_topics_takes_little_memory(appender: Appender) -> None:
    """However long the topics are, they are followed by a number."""
    tracemalloc.start()
    try:
        for number in range(200):
            keep(appender, refused(number, topic=f"{number}" + "x" * 60_000))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000


def test_quarantine_bounds_are_what_the_page_says() -> None:
    """The whole of it fits beside the readings of a small machine."""
    assert quarantine.KEPT_PER_REASON * KEPT_BYTES <= quarantine.KEPT_TOTAL_BYTES


def test_migration_keeps_what_was_in_quarantine_before(path: Path) -> None:
    """A store of version 3 has its entries, what is whole of them, and its names, when opened."""
    folder = Path(store.__file__).parent
    connection = sqlite3.connect(path)
    for name in ("readings", "ledger", "presence"):
        connection.executescript((folder / f"{name}.sql").read_text("utf-8"))
    before = (
        "INSERT INTO quarantine VALUES (?, 'boiler', 0, 5, 5, ?, ?, ?, 'r', '', ?, ?, ?, 0, 0, 0)"
    )
    rows = [
        (1, "t", b"{", 1, "{}", 1, 1),
        (2, "t", b"{", 9, "{}", 1, 1),
        (3, "", None, 7, "{}", 4, 4),
    ]
    connection.executemany(before, rows)
    connection.execute("INSERT INTO description VALUES ('boiler', 'm', 'Kettle', 'V')")
    connection.execute("INSERT INTO memory VALUES ('gone', x'')")
    connection.execute("PRAGMA user_version = 3")
    connection.commit()
    connection.close()
    with closing(open_appender(path)) as appender:
        entries = appender.quarantined(Choice(), 0, 9)
        assert [(one.id, one.whole, one.message.payload) for one in entries] == [
            (1, True, b"{"),
            (2, False, b"{"),
        ]
        assert appender.memory() == {}
        keep(appender, refused(7))
        assert [one.id for one in appender.quarantined(Choice(), 3, 9)] == [4]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute(
            "SELECT client, metric, name, unit FROM description"
        ).fetchall() == [("boiler", "m", "Kettle", "V")]
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
