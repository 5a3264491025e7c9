"""Refusals as events: the first at once, repetitions together, whatever anybody tries."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.refusals import ADDRESSES, WINDOW_US, Refusals
from telemetry.presence import Event, EventKind
from telemetry.window import SECOND_US


def refusal(time_us: int, address: str, detail: str = "not authorised") -> Event:
    """A refusal at that time."""
    return Event(time_us, EventKind.REFUSED, "", detail, address)


def test_addresses_and_reasons_are_told_apart() -> None:
    """Another host or another reason is news; another port is not."""
    refusals = Refusals("connections")
    news = [
        refusals.note(refusal(1, "192.0.2.7:1")),
        refusals.note(refusal(2, "192.0.2.7:2")),
        refusals.note(refusal(3, "192.0.2.7:3", "protocol error")),
        refusals.note(refusal(4, "[2001:db8::7]:4")),
        refusals.note(refusal(5, "[2001:db8::8]:4")),
        refusals.note(refusal(6, "[2001:db8::8]")),
    ]
    assert [len(events) for events in news] == [1, 0, 1, 1, 1, 0]


def test_claimed_identifier_is_told_and_tells_nothing_apart() -> None:
    """Whoever tries with ever new identifiers is still one address."""
    refusals = Refusals("connections")
    (first,) = refusals.note(refusal(1, "192.0.2.7:1"), "a")
    assert first.detail == "not authorised, as a"
    assert refusals.note(refusal(2, "192.0.2.7:2"), "b") == []


def test_who_goes_on_is_told_ever_more_seldom_and_who_comes_back_at_once() -> None:
    """One that tries each second for a day is a handful of events an hour; a new try is news."""
    refusals, told = Refusals("connections"), []
    for second in range(86_400):
        told += refusals.note(refusal(second * SECOND_US, "192.0.2.7:1"))
        told += refusals.turn(second * SECOND_US)
    windows = [(later.time_us - earlier.time_us) // SECOND_US for earlier, later in pairwise(told)]
    assert windows[:7] == [10, 20, 40, 80, 160, 320, 600]
    assert set(windows[6:]) == {600}
    end_us = 90_000 * SECOND_US
    while refusals.turn(end_us):
        end_us += WINDOW_US
    refusals.turn(end_us + WINDOW_US)
    assert len(refusals.note(refusal(end_us + WINDOW_US, "192.0.2.7:1"))) == 1


@given(st.lists(st.integers(0, 400), min_size=1, max_size=1000))
def test_refusals_are_few_events_that_add_up(hosts: list[int]) -> None:
    """However many hosts try how often, the events are bounded and count every try."""
    refusals = Refusals("connections")
    at_once = [
        event
        for time_us, host in enumerate(hosts)
        for event in refusals.note(refusal(time_us, f"h{host}:1"))
    ]
    later = refusals.turn(len(hosts) + WINDOW_US)
    assert len(at_once) <= ADDRESSES
    assert len(later) <= ADDRESSES + 1
    numbers = [
        int(word)
        for one in later
        for word in one.detail.strip("()").replace("(", "").split()
        if word.isdigit()
    ]
    assert len(at_once) + sum(numbers) == len(hosts)
    assert refusals.turn(len(hosts) + 2 * WINDOW_US) == []
