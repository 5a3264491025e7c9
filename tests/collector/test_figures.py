"""The broker's figures as readings: repeated or not, retained or not, known or hostile."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.figures import CLIENT, FIGURES, Figures
from collector.message import Message
from collector.outage import Outage
from telemetry.reading import Kind, Reading, Series

SECOND_US = 1_000_000
START_US = 1_790_000_000 * SECOND_US


def figure(name: str, payload: str, second: float, *, retain: bool = False) -> Message:
    """A message of the broker, so many seconds after the start."""
    time_us = START_US + int(second * SECOND_US)
    return Message(f"$SYS/broker/{name}", payload.encode(), time_us, retain=retain)


def uptime(second: int) -> Message:
    """The first message of a round."""
    return figure("uptime", f"{second} seconds", second)


def short(readings: list[Reading]) -> list[tuple[str, float, float | str]]:
    """Metric, seconds after the start and value of each reading but those of uptime."""
    return [
        (one.series.metric, (one.time_us - START_US) / SECOND_US, one.value)
        for one in readings
        if one.series.metric != "uptime"
    ]


@pytest.mark.parametrize(
    ("name", "payload", "metric", "value", "unit"),
    [
        ("uptime", "4 seconds", "uptime", 4.0, "s"),
        ("clients/connected", "17", "clients.connected", 17.0, ""),
        ("load/bytes/received/1min", "116.04", "load.bytes.received.1min", 116.04, "bytes/min"),
        ("load/messages/sent/15min", "0.00", "load.messages.sent.15min", 0.0, "1/min"),
        ("heap/current", "61408", "heap.current", 61408.0, "bytes"),
        ("store/messages/bytes", "193", "store.messages.bytes", 193.0, "bytes"),
        ("bytes/sent", "4159", "bytes.sent", 4159.0, "bytes"),
        ("retained messages/count", "53", "retained messages.count", 53.0, ""),
    ],
)
def test_figure_is_a_reading_of_the_client_broker(
    name: str, payload: str, metric: str, value: float, unit: str
) -> None:
    """A number is stored under its topic, with its unit where one is known."""
    assert Figures().take(figure(name, payload, 1)) == [
        Reading(Series(CLIENT, metric), START_US + SECOND_US, value, Kind.NUMBER, unit)
    ]


@pytest.mark.parametrize(
    ("name", "payload"),
    [
        ("version", ""),
        ("version", "2.0\x1b[31m"),
        ("version", "2" * 101),
        ("log/N", "5"),
        ("x", ""),
        ("x", "nan"),
        ("x", "1e5"),
        ("x", "1_000"),
        ("x", "٣"),
        ("x", "4 minutes"),
        ("x" * 300, "1"),
    ],
)
def test_what_is_no_figure_is_no_reading(name: str, payload: str) -> None:
    """Log lines and whatever else is no plain number or version are passed over."""
    assert Figures().take(figure(name, payload, 1)) == []


def test_figure_that_is_not_repeated_is_stored_with_its_value() -> None:
    """What a round leaves out had the same value then; it is stored once the round is over."""
    figures = Figures()
    for message in (uptime(10), figure("a", "1", 10.1), figure("b", "5", 10.2), uptime(20)):
        readings = figures.take(message)
    assert short(readings) == []
    assert short(figures.take(figure("b", "6", 20.1))) == [("b", 20.1, 6.0)]
    assert short(figures.take(uptime(30))) == [("a", 20, 1.0)]
    assert short(figures.take(uptime(40))) == [("a", 30, 1.0), ("b", 30, 6.0)]


def test_retained_copy_is_a_value_and_no_sign_of_life() -> None:
    """A retained copy is no reading; what it says holds from the next round on."""
    figures = Figures()
    assert figures.take(figure("a", "7", 3, retain=True)) == []
    assert figures.take(figure("uptime", "2 seconds", 3, retain=True)) == []
    assert short(figures.take(uptime(10))) == []
    assert short(figures.take(uptime(20))) == [("a", 10, 7.0)]


def rounds(length_s: int) -> list[tuple[str, float, float | str]]:
    """What is stored of figures around an outage of that length."""
    figures = Figures()
    end_s = 20 + length_s
    for message in (figure("a", "1", 9), figure("b", "1", 9), uptime(10), uptime(20)):
        figures.take(message)
    figures.miss(Outage(START_US + 20 * SECOND_US))
    figures.take(figure("b", "2", end_s, retain=True))
    figures.miss(Outage(START_US + 20 * SECOND_US, START_US + end_s * SECOND_US))
    readings = figures.take(uptime(end_s + 5))
    return short([*readings, *figures.take(uptime(end_s + 15))])


def test_version_is_told_once_and_kept_in_every_round() -> None:
    """The broker tells its version to who comes, never again: it is a state of each round."""
    figures = Figures()
    assert figures.take(figure("version", "mosquitto version 2.0.11", 1, retain=True)) == []
    for second in (10, 20):
        readings = figures.take(uptime(second))
    kept = [one for one in readings if one.series.metric == "version"]
    assert [(one.value, one.kind, one.unit) for one in kept] == [
        ("mosquitto version 2.0.11", Kind.STATE, "")
    ]


def test_outage_leaves_no_readings_in_it() -> None:
    """Nothing is stored for the time that was not heard; then the new values hold."""
    assert rounds(30) == [("a", 55, 1.0), ("b", 55, 2.0)]


def test_long_outage_forgets_what_is_not_retained() -> None:
    """2.0.11 keeps a retained copy for a minute: after that, absence says nothing any more."""
    assert rounds(90) == [("b", 115, 2.0)]


def test_figures_beyond_the_bound_are_not_kept() -> None:
    """A broker that publishes ever new figures takes no more than the bound."""
    figures = Figures()
    stored = sum(len(figures.take(figure(f"n{number}", "1", 1))) for number in range(FIGURES + 9))
    assert stored == FIGURES


@given(st.text(), st.binary(), st.booleans())
def test_nothing_below_sys_makes_the_figures_fail(topic: str, payload: bytes, retain: bool) -> None:
    """Any topic and payload are taken without an error."""
    figures = Figures()
    for name in (topic, f"$SYS/broker/{topic}", "$SYS/broker/uptime"):
        figures.take(Message(name, payload, START_US, retain=retain))
