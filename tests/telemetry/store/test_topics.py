"""Topics in the store: counted with their batch, bounded, gone with their client."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from unittest import mock

import pytest

from telemetry.batch import Arrival, Batch
from telemetry.interface import StoreUnavailable
from telemetry.job import Erase
from telemetry.ledger import Account, Outcome
from telemetry.reading import Flag, Reading, Series
from telemetry.store import open_appender, presence, topics
from telemetry.store.appender import StoreAppender
from telemetry.store.head import SCHEMA
from telemetry.topic import Heard, Topic
from telemetry.window import MINUTE_US
from tests.telemetry.builders import NOON_US, looking

FOLDER = Path(topics.__file__).parent


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store is."""
    return tmp_path / "culex.db"


@pytest.fixture
def appender(path: Path) -> Iterator[StoreAppender]:
    """Writes an empty store."""
    with closing(StoreAppender(path)) as appender:
        yield appender


def heard(topic: str = "clients/a/m", at_us: int = NOON_US, **rest: object) -> Heard:
    """One message of client `a` that arrived then."""
    facts: dict[str, object] = {
        "topic": topic, "client": "a", "metrics": ("m",), "messages": 1, "first_us": at_us,
        "last_us": at_us, "arrival": 0, "reason": "", "payload": b"1", "size": 1, "qos": 1,
        "flags": 0,
    }  # fmt: skip
    return Heard(**(facts | rest))  # type: ignore[arg-type]  # by name


def note(appender: StoreAppender, *news: Heard, arrival: Arrival | None = None) -> None:
    """A batch of one arrival that heard these."""
    arrivals = [arrival or Arrival(Account("", 0), outcome=Outcome.STORED)]
    appender.append(Batch(arrivals=arrivals, topics=news))


def kept(path: Path) -> Sequence[Topic]:
    """Every topic there is, in the order in which they were first heard."""
    with looking(path) as snapshot:
        return snapshot.topics(snapshot.topic_names())


def test_topic_heard_again_is_counted_and_shows_its_last_message(
    path: Path, appender: StoreAppender
) -> None:
    """Counts add up; payload and outcome are of the last; what it measured before stays known."""
    note(appender, heard(messages=3, last_us=NOON_US + 5))
    refused = Arrival(Account("", 0), outcome=Outcome.QUARANTINED)
    later = heard(
        at_us=NOON_US + 9, metrics=(), reason="malformed-json", payload=b"{", size=9, qos=0
    )
    note(appender, later, arrival=refused)
    (one,) = kept(path)
    assert (one.name, one.client, one.messages) == ("clients/a/m", "a", 4)
    assert (one.first_us, one.last_us) == (NOON_US, NOON_US + 9)
    assert (one.outcome, one.reason) == (Outcome.QUARANTINED, "malformed-json")
    assert (one.payload, one.size, one.qos, one.metrics) == (b"{", 9, 0, ["m"])


def test_topic_is_stored_or_duplicate_as_the_ledger_has_it(
    path: Path, appender: StoreAppender
) -> None:
    """The same reading again is a duplicate, and the topic says so."""
    arrival = Arrival(Account("a", NOON_US), [Reading(Series("a", "m"), NOON_US, 1.0)])
    outcomes = []
    for _ in range(2):
        note(appender, heard(), arrival=arrival)
        outcomes.append(kept(path)[0].outcome)
    assert outcomes == [Outcome.STORED, Outcome.DUPLICATE]


def test_topic_counts_by_minute_of_receipt(path: Path, appender: StoreAppender) -> None:
    """The minute before is kept beside the one under way; older ones are forgotten."""
    counts = []
    for minute, messages in ((0, 4), (0, 2), (1, 5), (3, 7)):
        note(appender, heard(at_us=NOON_US + minute * MINUTE_US, messages=messages))
        (one,) = kept(path)
        counts.append((one.minute_messages, one.minute_before))
    assert counts == [(4, 0), (6, 0), (5, 6), (7, 0)]


def test_topics_beyond_the_bound_go_oldest_seen_first(path: Path, appender: StoreAppender) -> None:
    """One that was first heard long ago and is heard still stays."""
    with mock.patch.multiple(topics, TOPICS_KEPT=10, _SPARE=2):
        note(appender, heard("steady"))
        for number in range(30):
            at_us = NOON_US + 1 + number
            note(appender, heard(f"t{number}", at_us), heard("steady", at_us))
    names = [one.name for one in kept(path)]
    assert 8 <= len(names) <= 10
    assert names[0] == "steady"
    assert names[1:] == [f"t{number}" for number in range(31 - len(names), 30)]


def test_topics_survive_a_restart_and_go_on_counting(path: Path, appender: StoreAppender) -> None:
    """Another writer finds each and adds to it."""
    note(appender, heard())
    appender.close()
    with closing(StoreAppender(path)) as again:
        note(again, heard(at_us=NOON_US + 1), heard("clients/b/m"))
    assert [(one.name, one.messages) for one in kept(path)] == [
        ("clients/a/m", 2),
        ("clients/b/m", 1),
    ]


def test_topics_of_a_batch_that_was_given_up_are_not_there(
    path: Path, appender: StoreAppender
) -> None:
    """They are part of the transaction, and counted once when it is tried again."""
    full = sqlite3.OperationalError("database or disk is full")
    with (
        mock.patch.object(presence, "apply", side_effect=full),  # the last of a batch to be written
        pytest.raises(StoreUnavailable),
    ):
        note(appender, heard())
    assert kept(path) == []
    note(appender, heard())
    note(appender, heard())
    assert [one.messages for one in kept(path)] == [2]


def test_erasing_a_client_erases_what_its_topics_said(path: Path, appender: StoreAppender) -> None:
    """Whether or not the message could be read; another client's stay, and count on."""
    reading = Reading(Series("a", "m"), NOON_US, 1.0)
    arrival = Arrival(Account("a", NOON_US - NOON_US % 3_600_000_000), [reading])
    secret = heard("clients/a/x", metrics=(), reason="no-reading", payload=b"secret")
    note(appender, heard(), secret, heard("clients/b/m", client="b"), arrival=arrival)
    assert appender.do(Erase("a")) == {"erased": 1}
    assert [one.name for one in kept(path)] == ["clients/b/m"]
    note(appender, heard("clients/b/m", client="b"), heard(at_us=NOON_US + 1))
    assert [(one.name, one.messages) for one in kept(path)] == [
        ("clients/b/m", 2),
        ("clients/a/m", 1),
    ]
    with looking(path) as snapshot:
        assert snapshot.recount() == []


def test_erasing_what_was_simulated_erases_topics_whose_last_message_was(
    path: Path, appender: StoreAppender
) -> None:
    """Real topics stay."""
    note(appender, heard("demo", flags=Flag.SIMULATED), heard("real", flags=Flag.REDELIVERED))
    appender.do(Erase(None, Flag.SIMULATED))
    assert [one.name for one in kept(path)] == ["real"]


def test_names_are_the_same_object_until_there_are_others(
    path: Path, appender: StoreAppender
) -> None:
    """A tree of them can be kept; a message on a known topic changes no name."""
    names = topics.TopicNames()
    with closing(sqlite3.connect(path)) as connection:
        note(appender, heard("b"))
        first = names.all(connection)
        note(appender, heard("b"))
        assert names.all(connection) is first
        note(appender, heard("a"))
        assert names.all(connection) == ("b", "a")
        appender.do(Erase("a"))
        note(appender, heard("c"), heard("d"))
        assert names.all(connection) == ("c", "d")


def test_topics_of_a_client_are_those_heard_last(path: Path, appender: StoreAppender) -> None:
    """At most so many; nobody else's."""
    for number in range(4):
        note(appender, heard(f"clients/a/{number}", NOON_US + number))
    note(appender, heard("clients/b/m", NOON_US + 9, client="b"))
    with looking(path) as snapshot:
        found = [one.name for one in snapshot.topics_of("a", 3)]
    assert found == ["clients/a/3", "clients/a/2", "clients/a/1"]


def test_topic_of_bytes_that_are_no_utf8_is_kept_as_text(
    path: Path, appender: StoreAppender
) -> None:
    """Lone surrogates, a name without an end, markup: all are kept and found again."""
    hostile = ["\udcff/x", "a" * 70_000, 'a/b #1 <b>"', ""]
    for _ in range(2):
        note(appender, *(heard(one) for one in hostile))
    assert [one.messages for one in kept(path)] == [2, 2, 2, 2]


def test_store_of_the_version_before_gets_topics(path: Path) -> None:
    """Version 6 had none; what it had stays."""
    connection = sqlite3.connect(path)
    for name in ("readings", "ledger", "presence", "quarantine", "blocks", "retention"):
        connection.executescript((FOLDER / f"{name}.sql").read_text("utf-8"))
    connection.execute("INSERT INTO memory VALUES ('birth', x'01')")
    connection.execute("PRAGMA user_version = 6")
    connection.commit()
    connection.close()
    with closing(open_appender(path)) as appender:
        assert appender.memory() == {"birth": b"\x01"}
        appender.append(Batch(arrivals=[Arrival(Account("", 0))], topics=[heard()]))
    assert [one.name for one in kept(path)] == ["clients/a/m"]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (SCHEMA,)
