"""Quarantine: raw within bounds, counted beyond them, found by reason and topic."""

from pathlib import Path

import pytest

from telemetry import quarantine
from telemetry.batch import Arrival, Batch
from telemetry.interface import Appender
from telemetry.ledger import Account, Outcome
from telemetry.quarantine import KEPT_BYTES, Choice, Group, Quarantined
from telemetry.store import open_appender
from telemetry.store import quarantine as table
from tests.telemetry.builders import looking

HERE = Account("boiler", 0)


def refused(number: int, payload: bytes = b"{", topic: str = "t", reason: str = "r") -> Quarantined:
    """A message that could not be read."""
    return Quarantined(HERE, number, topic, payload, reason, facts='{"retain":true}')


def keep(appender: Appender, *messages: Quarantined) -> None:
    """Keeps them, with their place in the ledger."""
    arrivals = [Arrival(HERE, (), Outcome.QUARANTINED) for _ in messages]
    appender.append(Batch(arrivals=arrivals, quarantined=messages))


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
    """Bytes that are not UTF-8 do not break the store."""
    keep(appender, refused(1, topic="clients/\udcff"))
    (entry,) = appender.quarantined(Choice(), 0, 10)
    assert entry.message.topic == "clients/\\udcff"


def test_quarantine_is_chosen_by_reason_and_topic_in_order_of_arrival(appender: Appender) -> None:
    """What is asked for comes, oldest first, in pages."""
    messages = [refused(n, topic=f"t{n % 2}", reason=f"r{n % 3}") for n in range(12)]
    keep(appender, *messages)
    chosen = appender.quarantined(Choice("r0", "t1"), 0, 10)
    assert [entry.message.received_us for entry in chosen] == [3, 9]
    rest = appender.quarantined(Choice("r0", "t1"), chosen[0].id, 10)
    assert [entry.message.received_us for entry in rest] == [9]


def test_quarantine_counts_what_it_does_not_keep(
    appender: Appender, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond the bound of one topic and reason, messages are only counted, and still add up."""
    monkeypatch.setattr(table, "KEPT_PER_REASON", 3)
    keep(appender, *(refused(n) for n in range(10)))
    keep(appender, refused(10, reason="other"))
    assert groups(path) == [
        Group("t", "other", 10, 10, 1, 1),
        Group("", "r", 3, 9, 7, 0),
        Group("t", "r", 0, 2, 3, 3),
    ]


@pytest.mark.parametrize("bound", ["KEPT_MESSAGES", "KEPT_TOTAL_BYTES"])
def test_quarantine_is_bounded_in_all(
    appender: Appender, path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    """However many topics are made up, no more than the bound is kept raw."""
    monkeypatch.setattr(table, bound, 5)
    keep(appender, *(refused(n, topic=f"t{n}") for n in range(20)))
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


def test_quarantine_bounds_are_what_the_page_says() -> None:
    """The whole of it fits beside the readings of a small machine."""
    assert quarantine.KEPT_PER_REASON * KEPT_BYTES <= quarantine.KEPT_TOTAL_BYTES
