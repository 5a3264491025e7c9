"""Refused connections and publishes as events, few of each: a wrong password is tried all day."""

from dataclasses import dataclass

from telemetry.presence import Event, EventKind

FIRST_WINDOW_US, WINDOW_US = 10_000_000, 600_000_000
"""The first refusal of an address is told at once, those within this time after it together.

While it goes on, each window is twice as long as the one before, up to the longest; one in which
nothing comes is the last. So whoever tries anew after a pause is told at once.
"""

ADDRESSES = 100
"""How many addresses are told apart in that time; of others, only their number is told."""


@dataclass(slots=True)
class _Repeats:
    since_us: int
    window_us: int
    last: Event
    count: int


class Refusals:
    """Turns refusals into events, of which there are few whatever anybody tries.

    Args:
        what: What is refused, in the plural.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._repeats: dict[tuple[str, str, str], _Repeats] = {}
        self._others = 0

    def note(self, refusal: Event, client_id: str = "", times: int = 1) -> list[Event]:
        """The event of a refusal that is news, or nothing yet; its detail says only why."""
        key = _host(refusal.address), refusal.detail, refusal.client
        if client_id:
            refusal = refusal._replace(detail=f"{refusal.detail}, as {client_id}")
        if key in self._repeats:
            repeats = self._repeats[key]
            repeats.last = refusal
            repeats.count += times
        elif len(self._repeats) < ADDRESSES:
            self._repeats[key] = _Repeats(refusal.time_us, FIRST_WINDOW_US, refusal, times - 1)
            return [refusal]
        else:
            self._others += times
        return []

    def turn(self, now_us: int) -> list[Event]:
        """What is told of the windows that are over; the clock may have been set back."""
        over = {
            key: one
            for key, one in self._repeats.items()
            if abs(now_us - one.since_us) >= one.window_us
        }
        told = [_together(one) for one in over.values() if one.count]
        for key, one in over.items():
            if one.count:
                window_us = min(2 * one.window_us, WINDOW_US)
                self._repeats[key] = _Repeats(now_us, window_us, one.last, 0)
            else:
                del self._repeats[key]
        if self._others and over:
            detail = f"{self._others} more refused {self._what}"
            told.append(Event(now_us, EventKind.OVERFLOW, detail=detail))
            self._others = 0
        return told


def _together(repeats: _Repeats) -> Event:
    return repeats.last._replace(detail=f"{repeats.last.detail} ({repeats.count} more)")


def _host(address: str) -> str:
    """The address without its port, which differs at each try."""
    return address.partition("]" if address.startswith("[") else ":")[0]
