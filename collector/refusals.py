"""Refused connections as events, few for each address: a wrong password is tried all day."""

from dataclasses import dataclass

from telemetry.presence import Event, EventKind

WINDOW_US = 600_000_000
"""The first refusal of an address is told at once, those within this time after it together."""

ADDRESSES = 100
"""How many addresses are told apart in that time; of others, only their number is told."""


@dataclass(slots=True)
class _Repeats:
    first_us: int
    last: Event
    count: int = 0


class Refusals:
    """Turns refusals into events, of which there are few whatever anybody tries."""

    def __init__(self) -> None:
        self._repeats: dict[tuple[str, str], _Repeats] = {}
        self._others = 0

    def note(self, refusal: Event, client_id: str = "") -> list[Event]:
        """The event of a refusal that is news, or nothing yet; its detail says only why."""
        key = _host(refusal.address), refusal.detail
        if client_id:
            refusal = refusal._replace(detail=f"{refusal.detail}, as {client_id}")
        if key in self._repeats:
            repeats = self._repeats[key]
            repeats.last = refusal
            repeats.count += 1
        elif len(self._repeats) < ADDRESSES:
            self._repeats[key] = _Repeats(refusal.time_us, refusal)
            return [refusal]
        else:
            self._others += 1
        return []

    def turn(self, now_us: int) -> list[Event]:
        """What is told of the times that are over; the clock may have been set back."""
        over = [
            key for key, one in self._repeats.items() if abs(now_us - one.first_us) >= WINDOW_US
        ]
        repeats = [self._repeats.pop(key) for key in over]
        told = [_together(one) for one in repeats if one.count]
        if self._others and over:
            detail = f"{self._others} more refused connections"
            told.append(Event(now_us, EventKind.OVERFLOW, detail=detail))
            self._others = 0
        return told


def _together(repeats: _Repeats) -> Event:
    return repeats.last._replace(detail=f"{repeats.last.detail} ({repeats.count} more)")


def _host(address: str) -> str:
    """The address without its port, which differs at each try."""
    return address.partition("]" if address.startswith("[") else ":")[0]
