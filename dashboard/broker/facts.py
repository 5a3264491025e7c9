"""The broker and the collector right now: one tile for each fact."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from dash.development.base_component import Component

from dashboard.digits import notation
from dashboard.display import NOTHING, printable
from dashboard.faults import broker_fault, collector_fault
from dashboard.parts import since
from telemetry.condition import WriterState
from telemetry.reading import Latest
from telemetry.window import SECOND_US

OLD_US = 60 * SECOND_US
"""A figure comes every ten seconds; what is older than this says nothing of now."""

OURS = 2
"""Of the clients that a broker counts: what carries readings, and the watch over the broker."""

_ROUGHLY_US = 10 * SECOND_US
_SIGNIFICANT = 3
Note = Sequence[str | Component]


@dataclass(frozen=True, slots=True)
class Fact:
    """One tile.

    Attributes:
        name: What it is about.
        value: What is so, or a dash where nobody knows.
        unit: Of the value.
        note: More, in small print.
        bad: Whether somebody should look at it.
        series: Client and metric of the chart behind it, or None.
    """

    name: str
    value: str
    unit: str = ""
    note: Note = ()
    bad: bool = False
    series: tuple[str, str] | None = None


class Figures:
    """The newest figures of broker and collector."""

    def __init__(self, latest: Sequence[Latest], now_us: int) -> None:
        self._latest: Mapping[tuple[str, str], Latest] = {tuple(one.series): one for one in latest}  # type: ignore[misc]  # a series is a pair
        self._now_us = now_us

    def number(self, client: str, metric: str) -> float | None:
        """A figure, or None if it is none of now."""
        value = self.value(client, metric)
        return value if isinstance(value, float) else None

    def value(self, client: str, metric: str) -> float | str | None:
        """A figure or a text, or None if it is none of now."""
        one = self._latest.get((client, metric))
        if one is None or self._now_us - one.time_us > OLD_US:
            return None
        return one.value

    def started_us(self) -> int | None:
        """When the broker started, to ten seconds: its uptime counts whole ones."""
        uptime, one = self.number("broker", "uptime"), self._latest.get(("broker", "uptime"))
        if uptime is None or one is None:
            return None
        return (one.time_us - int(uptime) * SECOND_US) // _ROUGHLY_US * _ROUGHLY_US

    def has(self, client: str) -> bool:
        """Whether anything of it is of now."""
        return any(
            name == client and self._now_us - one.time_us <= OLD_US
            for (name, _), one in self._latest.items()
        )


def facts(
    figures: Figures, writer: WriterState, lost: int, intake: int, now_us: int
) -> Sequence[Fact]:
    """The facts, in the order of the page.

    Args:
        figures: What broker and collector said last.
        writer: What the collector says of its link and store.
        lost: How often the link was lost in the window.
        intake: How many messages the collector holds at most.
        now_us: The present.
    """
    return [
        _link(writer, lost, now_us),
        _broker(figures, writer.broker),
        _clients(figures),
        _messages(figures),
        _held(figures),
        _dropped(figures),
        _stored(figures),
        _duration(figures, "Lag", "lag", "from receipt to commit"),
        _duration(figures, "Commit", "commit", "flushed to the disk"),
        _backlog(figures, intake),
        _way(figures),
        _disk(writer),
    ]


def short(number: float | None, unit: str = "") -> tuple[str, str]:
    """A number in three digits or whole, and its unit; a dash for None.

    >>> short(7.8184, "ms"), short(74_679_644_160.0, "B"), short(12_345.678), short(None, "s")
    (('7.82', 'ms'), ('74.68', 'GB'), ('12346', ''), ('–', 's'))
    """
    if number is None:
        return NOTHING, unit
    places = _SIGNIFICANT - 1 - math.floor(math.log10(abs(number))) if number else 0
    rounded = round(number, max(0, places))
    how = notation(np.array([rounded]), unit)
    return how.value(rounded), how.unit


def _link(writer: WriterState, lost: int, now_us: int) -> Fact:
    losses = f"lost {lost} {'time' if lost == 1 else 'times'} in this time" if lost else ""
    if collector_fault(writer, now_us):
        return Fact("Broker link", NOTHING, note=["the collector does not run"], bad=True)
    moment: Note = [since(writer.broker_since_us)] if writer.broker_since_us else []
    if writer.broker_up:
        fault = broker_fault(writer, now_us)
        to = f"to {writer.broker} " if writer.broker else ""
        note = [f"connected {to}", *moment, f", {losses}" if losses else ""]
        return Fact("Broker link", "up", note=[fault] if fault else note, bad=bool(fault))
    reason = printable(writer.broker_reason) or "unknown"
    at = f"{writer.broker}: " if writer.broker else ""
    return Fact("Broker link", "down", note=[f"{at}{reason}, ", *moment], bad=True)


def _broker(figures: Figures, place: str) -> Fact:
    version, started_us = figures.value("broker", "version"), figures.started_us()
    name = printable(str(version or NOTHING)).removeprefix("mosquitto version ")
    note: Note = ["started ", since(started_us)] if started_us is not None else []
    if place:  # it may be any
        note = [f"at {place}", ", " if note else "", *note]
    return Fact("Broker" if place else "Mosquitto", name, note=note, series=("broker", "uptime"))


def _clients(figures: Figures) -> Fact:
    connected = figures.number("broker", "clients.connected")
    away = figures.number("broker", "clients.disconnected")
    note = [f"{OURS} of them Culex's own"] if connected is not None and connected >= OURS else []
    if away:  # Mosquitto counts one less than nobody for a moment
        note.append(f"{', ' if note else ''}{max(0.0, away):.0f} away, their session kept")
    unit = "client" if connected == 1 else "clients"
    return Fact(
        "Connected", short(connected)[0], unit, note, series=("broker", "clients.connected")
    )


def _messages(figures: Figures) -> Fact:
    per_minute = [
        figures.number("broker", f"load.publish.{way}.1min") for way in ("received", "sent")
    ]
    taken, given = (None if one is None else one / 60 for one in per_minute)
    note = [f"{short(given)[0]} /s out"]
    return Fact(
        "Messages in", short(taken)[0], "/s", note, series=("broker", "load.publish.received.1min")
    )


def _held(figures: Figures) -> Fact:
    stored = figures.number("broker", "store.messages.count")
    retained = figures.number("broker", "retained messages.count")
    held = None if stored is None or retained is None else max(0.0, stored - retained)
    return Fact(
        "Held by the broker",
        short(held)[0],
        "messages",
        ["not yet taken by the collector or other clients"],
        series=("broker", "store.messages.count"),
    )


def _dropped(figures: Figures) -> Fact:
    dropped = figures.number("broker", "publish.messages.dropped")
    lately = figures.number("broker", "load.publish.dropped.1min")
    series = ("broker", "publish.messages.dropped")
    note = ["since the broker started"]
    if lately:
        note = [f"{short(lately)[0]} in the last minute"]
    return Fact("Dropped", short(dropped)[0], "messages", note, bool(lately), series)


def _stored(figures: Figures) -> Fact:
    stored = figures.number("collector", "readings_rate")
    messages = figures.number("collector", "messages_rate")
    note = [f"from {short(messages)[0]} messages/s"] if messages is not None else []
    return Fact("Stored", *short(stored, "readings/s"), note, series=("collector", "readings_rate"))


def _duration(figures: Figures, name: str, metric: str, meaning: str) -> Fact:
    half = figures.number("collector", f"{metric}_p50")
    nearly = figures.number("collector", f"{metric}_p95")
    note = [f"95 %: {' '.join(short(nearly, 'ms'))}, "] if nearly is not None else []
    series = ("collector", f"{metric}_p95")
    return Fact(name, *short(half, "ms"), [*note, meaning], series=series)


def _backlog(figures: Figures, intake: int) -> Fact:
    waiting = figures.number("collector", "intake")
    full = waiting is not None and waiting >= intake / 2
    note = [f"received and not yet stored, at most {intake}"]
    series = ("collector", "intake")
    return Fact("Held by the collector", short(waiting)[0], "messages", note, full, series)


def _way(figures: Figures) -> Fact:
    took = figures.number("collector", "round_trip")
    note = ["our own message, there and back"]
    return Fact("Through the broker", *short(took, "ms"), note, series=("collector", "round_trip"))


def _disk(writer: WriterState) -> Fact:
    free = None if writer.free_bytes is None else float(writer.free_bytes)
    note: Note = ["on the disk of the history"]
    if writer.relieved_us is not None:
        note = ["readings removed for room ", since(writer.relieved_us)]
    return Fact("Free disk", *short(free, "B"), note, bad=bool(writer.store_reason))
