"""Topics: one row for each, written in the transaction of the messages that it counts."""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from telemetry.batch import Arrival
from telemetry.ledger import Outcome
from telemetry.store.head import Connection
from telemetry.topic import TOPICS_KEPT, Heard, Topic, kept_topic
from telemetry.window import MINUTE_US

_SPARE = 1000
"""So many go at once when there are too many: finding the oldest reads them all."""

_NAMES = (
    "topic, client, metrics, outcome, reason, size, qos, flags, first_us, last_us, messages, "
    "minute_us, minute_messages, minute_before, payload"
)
_NOTE = f"""UPDATE topic SET client = ?2, metrics = coalesce(nullif(?3, '[]'), metrics),
    outcome = ?4, reason = ?5, size = ?6, qos = ?7, flags = ?8, last_us = ?10,
    messages = messages + ?11, minute_us = ?12,
    minute_messages = iif(minute_us = ?12, minute_messages + ?11, ?11),
    minute_before = CASE minute_us WHEN ?12 THEN minute_before
        WHEN ?12 - {MINUTE_US} THEN minute_messages ELSE 0 END,
    payload = ?13 WHERE id = ?1"""  # noqa: S608  # a constant
_ADD = (
    f"INSERT INTO topic ({_NAMES}) "  # noqa: S608  # our own column names
    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?11, 0, ?13)"
)
_TRIM = """DELETE FROM topic WHERE id IN (SELECT id FROM topic ORDER BY last_us, id LIMIT ?)"""
_ERASE = """DELETE FROM topic
    WHERE client = coalesce(?1, client) AND (?2 = 0 OR flags & ?2 != 0)"""
_IDS = "SELECT topic, id FROM topic"
_VERSION = "SELECT count(*), max(id) FROM topic"
_EVERY = "SELECT topic FROM topic ORDER BY id"
_SELECT = f"SELECT {_NAMES} FROM topic"  # noqa: S608  # our own column names
_BY_NAME = f"{_SELECT} WHERE topic = ?"
_OF_CLIENT = f"{_SELECT} WHERE client = ? ORDER BY last_us DESC, id LIMIT ?"

_STORED = Outcome.STORED.value


class TopicTable:
    """The write side; knows which topics are kept.

    To find a row by its name takes as long as to write it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.load()

    def load(self) -> None:
        """Reads anew which there are, as after a transaction that was given up."""
        self._ids: dict[str, int] = dict(self._connection.execute(_IDS))

    def note(
        self, heard: Iterable[Heard], arrivals: Sequence[Arrival], stored: Sequence[int]
    ) -> None:
        """Takes in what a batch heard, and lets the topics go that were heard longest ago.

        Args:
            heard: One for each topic.
            arrivals: Of the batch.
            stored: How many readings of each arrival are new.
        """
        ids, known = self._ids, []
        for one in heard:
            name = kept_topic(one.topic)
            facts = _facts(one, arrivals[one.arrival], stored[one.arrival])
            if name in ids:
                known.append((ids[name], *facts))
            else:
                number = self._connection.execute(_ADD, (name, *facts)).lastrowid
                ids[name] = number or 0
        self._connection.executemany(_NOTE, known)
        if len(ids) > TOPICS_KEPT:
            self._connection.execute(_TRIM, (len(ids) - TOPICS_KEPT + _SPARE,))
            self.load()

    def erase(self, client: str | None, flags: int) -> None:
        """Removes the topics of a client, those whose last message has one of some flags, or both.

        Args:
            client: Whose; `None` for every client.
            flags: Which; 0 for all.
        """
        self._connection.execute(_ERASE, (client, flags))
        self.load()


def _facts(heard: Heard, arrival: Arrival, stored: int) -> tuple[object, ...]:
    last_us = heard.last_us
    return (
        heard.client,
        orjson.dumps(heard.metrics).decode(),
        _STORED if stored else arrival.outcome.value,
        heard.reason,
        heard.size,
        heard.qos,
        heard.flags,
        heard.first_us,
        last_us,
        heard.messages,
        last_us - last_us % MINUTE_US,
        heard.payload,
    )


class TopicNames:
    """Says again and again which topics there are; they are read anew when there are others."""

    def __init__(self) -> None:
        self._version: tuple[int, int | None] = (0, None)
        self._names: tuple[str, ...] = ()

    def all(self, connection: Connection) -> Sequence[str]:
        """Every topic, in the order in which they were first heard."""
        version = connection.execute(_VERSION).fetchone()
        if version != self._version:
            self._version = version
            self._names = tuple(name for (name,) in connection.execute(_EVERY))
        return self._names


class StoredTopics:
    """What a snapshot says of topics; implements `telemetry.topic.TopicBook`."""

    def __init__(self, connection: Connection, names: TopicNames) -> None:
        self._connection = connection
        self._names = names

    def topic_names(self) -> Sequence[str]:
        """Every topic that is kept, in the order in which they were first heard."""
        return self._names.all(self._connection)

    def topics(self, names: Iterable[str]) -> Sequence[Topic]:
        """Those of these topics that are kept, in this order."""
        rows = (self._connection.execute(_BY_NAME, (name,)).fetchone() for name in names)
        return [_topic(row) for row in rows if row is not None]

    def topics_of(self, client: str, at_most: int) -> Sequence[Topic]:
        """The topics of a client by templates, those heard last first."""
        return [_topic(row) for row in self._connection.execute(_OF_CLIENT, (client, at_most))]


def _topic(row: tuple[Any, ...]) -> Topic:  # Any: the columns of a row
    name, client, metrics, outcome, *rest = row
    return Topic(name, client, orjson.loads(metrics), Outcome(outcome), *rest)
