"""What the broker says of itself below `$SYS/`, as readings of the client `broker`."""

import re
from typing import NamedTuple

from collector.message import Message
from collector.outage import Outage
from telemetry.reading import Kind, Reading, Series
from telemetry.window import SECOND_US

CLIENT = "broker"
ROOT = "$SYS/broker/"
FIGURES = 500
"""The most figures that are kept; Mosquitto has about sixty."""

_RETAINED_US = 60 * SECOND_US
_NO_FIGURES = ("log/",)
_TICK = "uptime"
_VERSION = "version"
_NUMBER = re.compile(rb"(-?\d{1,18}(?:\.\d{1,9})?)(?: seconds)?", re.ASCII)
_VERSION_TEXT = re.compile(rb"[ -~]{1,100}", re.ASCII)
_LONGEST_NAME = 200
_BYTES = re.compile(r"(?:.+\.)?bytes(?:\..+)?|heap\..+", re.ASCII)


class _Figure(NamedTuple):
    value: float | str
    told: int  # in which round
    heard_us: int


class Figures:
    """Turns figures into readings, those included that the broker does not repeat.

    Mosquitto publishes a figure only when it has changed, and 2.0.11 lets even the retained copy
    go after a minute: absence means unchanged. `uptime`, which always changes, is the first
    figure of each round.
    """

    def __init__(self) -> None:
        self._figures: dict[str, _Figure] = {}
        self._round = 0
        self._round_us = 0

    def take(self, message: Message) -> list[Reading]:
        """The readings that follow from a message below `$SYS/broker/`; never raises.

        What was not told again in the round before this one had the same value then. A retained
        copy only says which value that is.
        """
        metric = message.topic.removeprefix(ROOT).replace("/", ".")
        value, now_us = _value(message, metric), message.received_us
        if value is None or (metric not in self._figures and len(self._figures) >= FIGURES):
            return []
        ticks = metric == _TICK and not message.retain
        unchanged = self._turn(now_us) if ticks else []
        self._figures[metric] = _Figure(value, self._round, now_us)
        return [] if message.retain else [*unchanged, _reading(metric, now_us, value)]

    def miss(self, outage: Outage) -> None:
        """Notes that nothing was heard, once when that begins and once when it is over.

        What changed meanwhile comes as a retained copy, if the broker still has one.
        """
        self._round_us = 0
        if outage.end_us is not None and outage.end_us - outage.start_us >= _RETAINED_US:
            old = [name for name, one in self._figures.items() if one.heard_us < outage.end_us]
            for name in old:
                del self._figures[name]

    def _turn(self, now_us: int) -> list[Reading]:
        """The figures that the last round left out, at its time; the next round begins."""
        time_us, ended = self._round_us, self._round
        self._round, self._round_us = ended + 1, now_us
        if not time_us:
            return []
        return [
            _reading(name, time_us, one.value)
            for name, one in self._figures.items()
            if one.told < ended and name != _TICK
        ]


def unit(metric: str) -> str:
    """The unit of a figure, or an empty string for a number of things.

    >>> unit("heap.current"), unit("load.bytes.sent.5min"), unit("load.sockets.1min")
    ('bytes', 'bytes/min', '1/min')
    >>> unit("uptime"), unit("clients.connected")
    ('s', '')
    """
    if metric == _TICK:
        return "s"
    if metric.startswith("load."):
        return "bytes/min" if metric.startswith("load.bytes.") else "1/min"
    return "bytes" if _BYTES.fullmatch(metric) else ""


def _value(message: Message, metric: str) -> float | str | None:
    """The number it says, of the version its text, or None if it is no figure."""
    short = message.topic.removeprefix(ROOT)
    if short == message.topic or short.startswith(_NO_FIGURES) or len(metric) > _LONGEST_NAME:
        return None
    if metric == _VERSION:
        match = _VERSION_TEXT.fullmatch(message.payload)
        return match[0].decode() if match else None
    match = _NUMBER.fullmatch(message.payload)
    return float(match[1]) if match else None


def _reading(metric: str, time_us: int, value: float | str) -> Reading:
    kind = Kind.STATE if isinstance(value, str) else Kind.NUMBER
    return Reading(Series(CLIENT, metric), time_us, value, kind, unit(metric))
