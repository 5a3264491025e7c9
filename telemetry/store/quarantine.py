"""What could not become readings, kept raw within bounds and counted beyond them."""

from collections import Counter
from dataclasses import replace
from typing import Any

from telemetry.ledger import Account, Outcome
from telemetry.quarantine import (
    KEPT_BYTES,
    KEPT_MESSAGES,
    KEPT_PER_REASON,
    KEPT_TOTAL_BYTES,
    METRIC_CHARACTERS,
    Choice,
    Entry,
    Group,
    Quarantined,
)
from telemetry.store.head import Connection
from telemetry.topic import kept_topic

_COUNTS = (
    "messages_quarantined",
    "messages_held",
    "readings_quarantined",
    "readings_held",
    "readings_retained",
    "readings_limited",
    "readings_good",
)
_NAMES = (
    "client, hour_us, first_us, last_us, topic, payload, size, whole, reason, metric, facts, "
    f"count, {', '.join(_COUNTS)}"
)
_KEEP = (
    f"INSERT INTO quarantine ({_NAMES}) "  # noqa: S608  # our own column names
    f"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1{', ?' * len(_COUNTS)})"
)
_COUNT = (
    f"INSERT INTO quarantine ({_NAMES}) "  # noqa: S608  # our own column names
    f"VALUES (?, ?, ?, ?, '', NULL, ?, 0, ?, '', '{{}}', 1{', ?' * len(_COUNTS)}) "
    "ON CONFLICT (client, hour_us, reason) WHERE payload IS NULL DO UPDATE SET "
    "last_us = max(last_us, excluded.last_us), "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in ("size", "count", *_COUNTS))
)
_KEPT = """SELECT topic, reason, count(*), sum(length(payload) + 2 * length(CAST(topic AS BLOB))
        + length(CAST(metric AS BLOB)) + length(CAST(facts AS BLOB)))
    FROM quarantine WHERE payload IS NOT NULL GROUP BY topic, reason"""
_ENTRY = f"""SELECT id, client, hour_us, first_us, topic, payload, size, whole, reason, metric,
    {", ".join(_COUNTS)}, facts FROM quarantine WHERE payload IS NOT NULL"""  # noqa: S608  # our own column names
_ENTRIES = f"""{_ENTRY} AND id > ? AND topic = coalesce(?, topic)
    AND reason = coalesce(?, reason) ORDER BY id LIMIT ?"""
_GROUPS = """SELECT topic, reason, min(first_us), max(last_us), sum(count), count(payload), client
    FROM quarantine GROUP BY topic, reason, client ORDER BY max(last_us) DESC LIMIT ?"""
_AGAIN = (
    f"UPDATE quarantine SET client = ?, hour_us = ?, reason = ?, metric = ?, "  # noqa: S608  # our own column names
    f"{', '.join(f'{name} = ?' for name in _COUNTS)} WHERE id = ?"
)


class QuarantineTable:
    """The write side; knows how much of each topic and reason is kept raw already.

    It follows a topic and reason by their hash, and only while a message of them is kept.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.load()

    def load(self) -> None:
        """Counts anew what is kept, as after a transaction that was given up."""
        self._kept: Counter[int] = Counter()
        self._messages = self._bytes = 0
        for topic, reason, number, size in self._connection.execute(_KEPT):
            self._kept[hash((topic, reason))] += number
            self._messages += number
            self._bytes += size

    def add(self, message: Quarantined) -> None:
        """Keeps the message raw, or counts it if enough of its like is kept."""
        kept = _cut(message)
        place = (*message.account, message.received_us, message.received_us)
        size, counts = len(message.payload), _counts(message)
        if not self._has_room(kept):
            self._connection.execute(_COUNT, (*place, size, message.reason, *counts))
            return
        whole = (kept.topic, kept.payload) == (message.topic, message.payload)
        raw = (kept.topic, kept.payload, size, whole)
        facts = (kept.reason, kept.metric, kept.facts)
        self._connection.execute(_KEEP, (*place, *raw, *facts, *counts))
        self._follow(kept, 1)

    def _has_room(self, kept: Quarantined) -> bool:
        return (
            self._kept[hash((kept.topic, kept.reason))] < KEPT_PER_REASON
            and self._messages < KEPT_MESSAGES
            and self._bytes + _size(kept) <= KEPT_TOTAL_BYTES
        )

    def _follow(self, kept: Quarantined, change: int) -> None:
        key = hash((kept.topic, kept.reason))
        self._kept[key] += change
        if not self._kept[key]:
            del self._kept[key]
        self._messages += change
        self._bytes += change * _size(kept)

    def find(self, entry_id: int) -> Entry | None:
        """The message of that number, or None if it has left."""
        entries = read_entries(self._connection, Choice(), entry_id - 1, 1)
        return entries[0] if entries and entries[0].id == entry_id else None

    def remove(self, entry: Entry) -> None:
        """Lets a message leave."""
        self._connection.execute("DELETE FROM quarantine WHERE id = ?", (entry.id,))
        self._follow(entry.message, -1)

    def renew(self, entry: Entry, again: Quarantined) -> None:
        """Keeps a message for what is wrong with it now."""
        kept = replace(entry.message, reason=again.reason, metric=_cut(again).metric)
        values = (*again.account, kept.reason, kept.metric, *_counts(again), entry.id)
        self._connection.execute(_AGAIN, values)
        self._follow(entry.message, -1)
        self._follow(kept, 1)


def _cut(message: Quarantined) -> Quarantined:
    """What is kept raw of a message."""
    return replace(
        message,
        topic=kept_topic(message.topic),
        payload=message.payload[:KEPT_BYTES],
        metric=message.metric[:METRIC_CHARACTERS],
    )


def _size(kept: Quarantined) -> int:
    """What it takes of the bound in all, as `_KEPT` has it; the topic is in the index as well."""
    texts = (kept.topic, kept.topic, kept.metric, kept.facts)
    return len(kept.payload) + sum(len(text.encode()) for text in texts)


def _counts(message: Quarantined) -> tuple[int, ...]:
    """In the order of `_COUNTS`."""
    return (
        int(message.outcome is Outcome.QUARANTINED),
        int(message.outcome is Outcome.HELD),
        message.quarantined,
        message.held,
        message.retained,
        message.limited,
        message.good,
    )


def read_entries(connection: Connection, choice: Choice, after: int, at_most: int) -> list[Entry]:
    """Messages in quarantine with a number above `after`, lowest first."""
    rows = connection.execute(_ENTRIES, (after, choice.topic, choice.reason, at_most))
    return [_entry(row) for row in rows]


def read_newest(connection: Connection, choice: Choice, before: int, at_most: int) -> list[Entry]:
    """Messages in quarantine with a number below `before`, highest first."""
    chosen = {"topic": choice.topic, "reason": choice.reason}
    given = {name: value for name, value in chosen.items() if value is not None}
    only = "".join(f" AND {name} = ?" for name in given)  # so that the index finds them
    rows = connection.execute(
        f"{_ENTRY} AND id < ?{only} ORDER BY id DESC LIMIT ?",
        (before, *given.values(), at_most),
    )
    return [_entry(row) for row in rows]


def _entry(row: tuple[Any, ...]) -> Entry:  # Any: the columns of a row
    entry_id, client, hour_us, received_us, topic, payload, size, whole, *rest = row
    reason, metric, message_quarantined, message_held, *values = rest
    outcome = Outcome.QUARANTINED if message_quarantined else None
    message = Quarantined(
        Account(client, hour_us),
        received_us,
        topic,
        payload,
        reason,
        metric,
        Outcome.HELD if message_held else outcome,
        *values,
    )
    return Entry(entry_id, bool(whole), size, message)


def read_groups(connection: Connection, at_most: int) -> list[Group]:
    """What is in quarantine, by topic, reason and client, the newest first."""
    return [Group(*row) for row in connection.execute(_GROUPS, (at_most,))]
