"""The simulated fleet: who it is, how often each speaks, and what it then publishes. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

import orjson

from collector.noise import chance
from collector.signals import Measure, sample
from telemetry.window import SECOND_US, Window

FLAKY = "demo-flaky"
_SILENCE_SLOT_US = 900 * SECOND_US
_SILENT_SLOTS = 0.4
_GARBAGE = (
    ("telemetry", b'{"temperature": {"value": 21.'),
    ("telemetry", b"\xff\xfe\x00boot\xff"),
    ("temperature", b"21,5"),
    ("temperature", b"NaN"),
    ("rssi", b""),
)


class Mood(Enum):
    """How a client behaves at one instant."""

    STEADY = auto()
    REPEATING = auto()
    GARBLED = auto()
    BREAKING = auto()
    SILENT = auto()


_MOODS = ((0.05, Mood.SILENT), (0.08, Mood.GARBLED), (0.10, Mood.BREAKING), (0.18, Mood.REPEATING))
"""Shares of the flaky client's instants, added up; the rest is steady."""


@dataclass(frozen=True, slots=True)
class Publication:
    """A message to be published."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Simulated:
    """A client of the simulated fleet.

    Attributes:
        name: Its name, one of `telemetry.settings.DEMO_CLIENTS`.
        step_us: It measures at every multiple of this. Its history has the same step, for a
            coarser one would count as incomplete.
        probe: A metric that every message with a time of its own holds.
        bare: Metrics that go out as bare values on topics of their own, while it is live.
    """

    name: str
    step_us: int
    probe: str
    bare: frozenset[str] = frozenset()

    def after(self, time_us: int) -> int:
        """The first instant at which it measures after that time."""
        return (time_us // self.step_us + 1) * self.step_us

    def instants(self, window: Window) -> list[int]:
        """The instants of a window from which there are readings, oldest first."""
        moments = range(self.after(window.start_us - 1), window.end_us, self.step_us)
        return [one for one in moments if self.mood(one) in (Mood.STEADY, Mood.REPEATING)]

    def mood(self, time_us: int) -> Mood:
        """How it behaves at that instant; all but one are always steady."""
        if self.name != FLAKY:
            return Mood.STEADY
        if _is_long_silence(time_us):
            return Mood.SILENT
        drawn = chance("mood", time_us)
        return next((mood for share, mood in _MOODS if drawn < share), Mood.STEADY)

    def past(self, instants: Iterable[int]) -> Publication:
        """All its readings of those instants in one message, with their times and units.

        A device that could not send does the same. A message for each would be a day's messages
        within seconds, of which no rate would say anything.
        """
        return self._telemetry([self._fields(one, frozenset()) for one in instants])

    def live(self, time_us: int) -> Sequence[Publication]:
        """What it publishes when that instant is now."""
        mood = self.mood(time_us)
        if mood is Mood.GARBLED:
            return [self._garbage(time_us)]
        if mood in (Mood.SILENT, Mood.BREAKING):
            return []
        timed = self._telemetry(self._fields(time_us, self.bare))
        messages = [timed, *self._bare_values(time_us)]
        return messages * 2 if mood is Mood.REPEATING else messages

    def _telemetry(self, said: object) -> Publication:
        return Publication(f"clients/{self.name}/telemetry", orjson.dumps(said))

    def _fields(self, time_us: int, without: frozenset[str]) -> dict[str, object]:
        fields: dict[str, object] = {"time": time_us // 1000}
        for metric, measure in sample(self.name, time_us).items():
            if metric not in without:
                fields[metric] = _field(measure)
        return fields

    def _bare_values(self, time_us: int) -> list[Publication]:
        measured = sample(self.name, time_us)
        return [
            Publication(f"clients/{self.name}/{metric}", _bare(measured[metric]))
            for metric in sorted(self.bare)
        ]

    def _garbage(self, time_us: int) -> Publication:
        metric, payload = _GARBAGE[int(chance("garbage", time_us) * len(_GARBAGE))]
        return Publication(f"clients/{self.name}/{metric}", payload)


FLEET = (
    Simulated("demo-solar", 6 * SECOND_US, "power"),
    # A bare value has no unit, and no time but that of its receipt: states need neither.
    Simulated("demo-greenhouse", 12 * SECOND_US, "temperature", frozenset({"vent"})),
    Simulated("demo-boiler", 8 * SECOND_US, "flow_temperature", frozenset({"burner"})),
    Simulated("demo-battery", 3 * SECOND_US, "current"),
    Simulated("demo-weather", 15 * SECOND_US, "temperature"),
    Simulated(FLAKY, 10 * SECOND_US, "temperature"),
)
"""Everybody, in the order of `telemetry.settings.DEMO_CLIENTS`."""


def _is_long_silence(time_us: int) -> bool:
    """Whether the instant lies in one of the silences of 2 to 6 minutes."""
    slot, offset_us = divmod(time_us, _SILENCE_SLOT_US)
    if chance("silent", slot) >= _SILENT_SLOTS:
        return False
    length_us = (120 + 240 * chance("length", slot)) * SECOND_US
    start_us = chance("start", slot) * (_SILENCE_SLOT_US - length_us)
    return start_us <= offset_us < start_us + length_us


def _field(measure: Measure) -> object:
    return {"value": measure.value, "unit": measure.unit} if measure.unit else measure.value


def _bare(measure: Measure) -> bytes:
    if isinstance(measure.value, bool):
        return b"on" if measure.value else b"off"
    return str(measure.value).encode()
