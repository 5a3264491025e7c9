"""Which clients there are, and when anything of each last arrived. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from telemetry.reading import RESERVED_CLIENTS, Flag, Latest

_ACTIVE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Activity:
    """A client and when anything of it last arrived."""

    client: str
    received_us: int
    simulated: bool


def activity(latest: Sequence[Latest], now_us: int) -> Sequence[Activity]:
    """The clients, newest activity first; those of the last minute stand by name.

    Otherwise a list of busy clients would shuffle at every tick. Culex's own come last.
    """
    newest: dict[str, Latest] = {}
    for one in latest:
        known = newest.get(one.series.client)
        if known is None or one.received_us > known.received_us:
            newest[one.series.client] = one
    found = [
        Activity(name, one.received_us, bool(one.flags & Flag.SIMULATED))
        for name, one in newest.items()
    ]
    return sorted(
        found,
        key=lambda one: (
            one.client in RESERVED_CLIENTS,
            max(0, now_us - one.received_us - _ACTIVE_US),
            one.client,
        ),
    )
