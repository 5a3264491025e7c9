"""What could not become readings, kept raw within bounds and counted beyond them."""

from collections import Counter
from typing import Any

from telemetry.ledger import Account, Outcome
from telemetry.quarantine import (
    KEPT_BYTES,
    KEPT_MESSAGES,
    KEPT_PER_REASON,
    KEPT_TOTAL_BYTES,
    Choice,
    Entry,
    Group,
    Quarantined,
)
from telemetry.store.head import Connection

_NAMES = (
    "client, hour_us, first_us, last_us, topic, payload, size, reason, metric, facts, count, "
    "messages_quarantined, messages_held, readings_quarantined, readings_held"
)
_KEEP = f"INSERT INTO quarantine ({_NAMES}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)"  # noqa: S608  # our own column names
_COUNT = (
    f"INSERT INTO quarantine ({_NAMES}) "  # noqa: S608  # our own column names
    "VALUES (?, ?, ?, ?, '', NULL, ?, ?, '', '{}', 1, ?, ?, ?, ?) "
    "ON CONFLICT (client, hour_us, reason) WHERE payload IS NULL DO UPDATE SET "
    "last_us = max(last_us, excluded.last_us), size = size + excluded.size, count = count + 1, "
    "messages_quarantined = messages_quarantined + excluded.messages_quarantined, "
    "messages_held = messages_held + excluded.messages_held, "
    "readings_quarantined = readings_quarantined + excluded.readings_quarantined, "
    "readings_held = readings_held + excluded.readings_held"
)
_KEPT = """SELECT topic, reason, count(*), sum(length(payload)) FROM quarantine
    WHERE payload IS NOT NULL GROUP BY topic, reason"""
_ENTRIES = """SELECT id, client, hour_us, first_us, topic, payload, size, reason, metric, facts,
    messages_quarantined, messages_held, readings_quarantined, readings_held FROM quarantine
    WHERE payload IS NOT NULL AND id > ? AND topic = coalesce(?, topic)
    AND reason = coalesce(?, reason) ORDER BY id LIMIT ?"""
_GROUPS = """SELECT topic, reason, min(first_us), max(last_us), sum(count), count(payload)
    FROM quarantine GROUP BY topic, reason ORDER BY max(last_us) DESC LIMIT ?"""
_AGAIN = """UPDATE quarantine SET client = ?, hour_us = ?, reason = ?, metric = ?,
    messages_quarantined = ?, messages_held = ?, readings_quarantined = ?, readings_held = ?
    WHERE id = ?"""


class QuarantineTable:
    """The write side; knows how much of each topic and reason is kept raw already."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.load()

    def load(self) -> None:
        """Counts anew what is kept, as after a transaction that was given up."""
        kept = self._connection.execute(_KEPT).fetchall()
        self._kept = Counter({(topic, reason): number for topic, reason, number, _ in kept})
        self._messages = sum(number for _, _, number, _ in kept)
        self._bytes = sum(size for _, _, _, size in kept)

    def add(self, message: Quarantined) -> None:
        """Keeps the message raw, or counts it if enough of its like is kept."""
        payload = message.payload[:KEPT_BYTES]
        topic = message.topic.encode("utf-8", "backslashreplace").decode()
        place = (*message.account, message.received_us, message.received_us)
        size, counts = len(message.payload), _counts(message)
        if not self._has_room(topic, message.reason, len(payload)):
            self._connection.execute(_COUNT, (*place, size, message.reason, *counts))
            return
        facts = (message.reason, message.metric, message.facts)
        self._connection.execute(_KEEP, (*place, topic, payload, size, *facts, *counts))
        self._kept[topic, message.reason] += 1
        self._messages += 1
        self._bytes += len(payload)

    def _has_room(self, topic: str, reason: str, size: int) -> bool:
        return (
            self._kept[topic, reason] < KEPT_PER_REASON
            and self._messages < KEPT_MESSAGES
            and self._bytes + size <= KEPT_TOTAL_BYTES
        )

    def find(self, entry_id: int) -> Entry | None:
        """The message of that number, or None if it has left."""
        entries = read_entries(self._connection, Choice(), entry_id - 1, 1)
        return entries[0] if entries and entries[0].id == entry_id else None

    def remove(self, entry: Entry) -> None:
        """Lets a message leave."""
        self._connection.execute("DELETE FROM quarantine WHERE id = ?", (entry.id,))
        self._kept[entry.message.topic, entry.message.reason] -= 1
        self._messages -= 1
        self._bytes -= len(entry.message.payload)

    def renew(self, entry: Entry, again: Quarantined) -> None:
        """Keeps a message for what is wrong with it now."""
        values = (*again.account, again.reason, again.metric, *_counts(again), entry.id)
        self._connection.execute(_AGAIN, values)
        self._kept[entry.message.topic, entry.message.reason] -= 1
        self._kept[entry.message.topic, again.reason] += 1


def _counts(message: Quarantined) -> tuple[int, int, int, int]:
    return (
        int(message.outcome is Outcome.QUARANTINED),
        int(message.outcome is Outcome.HELD),
        message.quarantined,
        message.held,
    )


def read_entries(connection: Connection, choice: Choice, after: int, at_most: int) -> list[Entry]:
    """Messages in quarantine with a number above `after`, lowest first."""
    rows = connection.execute(_ENTRIES, (after, choice.topic, choice.reason, at_most))
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> Entry:  # Any: the columns of a row
    entry_id, client, hour_us, received_us, topic, payload, size, reason, metric, facts, *counts = (
        row
    )
    message_quarantined, message_held, quarantined, held = counts
    outcome = Outcome.QUARANTINED if message_quarantined else None
    message = Quarantined(
        Account(client, hour_us),
        received_us,
        topic,
        payload,
        reason,
        metric,
        Outcome.HELD if message_held else outcome,
        quarantined,
        held,
        facts,
    )
    return Entry(entry_id, size == len(payload), size, message)


def read_groups(connection: Connection, at_most: int) -> list[Group]:
    """What is in quarantine, by topic and reason, the newest first."""
    return [Group(*row) for row in connection.execute(_GROUPS, (at_most,))]
