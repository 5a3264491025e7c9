"""Topics as nouns: their rate, and their names within bounds."""

import pytest

from telemetry.ledger import Outcome
from telemetry.quarantine import TOPIC_BYTES
from telemetry.reading import Flag
from telemetry.topic import Topic, kept_topic
from telemetry.window import MINUTE_US

MINUTE = 100 * MINUTE_US


def topic(minute_us: int, messages: int, before: int = 0, flags: int = 0) -> Topic:
    """A topic whose last message arrived in that minute, with so many in it and before it."""
    return Topic(
        "t", "", (), Outcome.STORED, "", 1, 1, flags, 0, minute_us, 99, minute_us, messages, before,
        b"1",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("now_us", "rate"),
    [
        (MINUTE, 15 + 60),
        (MINUTE + MINUTE_US // 4, 60 * 3 / 4 + 15),
        (MINUTE + MINUTE_US, 15),
        (MINUTE + 3 * MINUTE_US // 2, 7.5),
        (MINUTE + 2 * MINUTE_US, 0),
        (MINUTE + 900 * MINUTE_US, 0),
    ],
)
def test_rate_counts_the_minute_under_way_and_the_rest_of_the_one_before(
    now_us: int, rate: float
) -> None:
    """One a second until a quarter of the minute: 60 there; then it fades, to 0 in the end."""
    assert topic(MINUTE, 15, 60).per_minute(now_us) == pytest.approx(rate)


def test_rate_of_a_clock_that_went_back_is_what_was_counted() -> None:
    """A last message in the future of the reader is in the minute under way."""
    assert topic(MINUTE, 5).per_minute(MINUTE - 1) == 5


def test_topic_is_retained_if_its_last_message_was() -> None:
    """It is the flag of the last message, beside others."""
    assert topic(0, 1, flags=Flag.RETAINED | Flag.SIMULATED).retained
    assert not topic(0, 1, flags=Flag.SIMULATED).retained


def test_kept_topic_is_text_and_bounded_and_tells_long_ones_apart() -> None:
    """Two topics that differ behind the bound stay two; what is no UTF-8 is written out."""
    long = ["é" * 40_000 + end for end in "ab"]
    kept = [kept_topic(one) for one in long]
    assert all(TOPIC_BYTES - 4 < len(one.encode()) <= TOPIC_BYTES for one in kept)
    assert kept[0] != kept[1]
    assert kept_topic("sensors/\udcff") == r"sensors/\udcff"
    assert kept_topic("é" * 512) == "é" * 512
