"""How many readings were expected: the one rule of completeness, of the fleet and of each hour."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from telemetry.exact import Ints
from telemetry.interval import Cadence
from telemetry.reading import Series

_ALMOST = 1e-9


class Expecting(NamedTuple):
    """A series that readings are expected of, since then."""

    begun_us: int
    interval_us: int


def expecting_of(
    series: Mapping[str, Sequence[Series]],
    begun: Mapping[Series, int],
    cadences: Mapping[Series, Cadence],
) -> dict[str, list[Expecting]]:
    """What is expected of each client: of its series that have an interval."""
    return {
        client: [
            Expecting(begun[one], cadences[one].interval_us)
            for one in some
            if one in cadences and cadences[one].is_regular
        ]
        for client, some in series.items()
    }


def expected(edges_us: Ints, clients: Sequence[Sequence[Expecting]], now_us: int) -> Ints:
    """How many whole readings are expected of all series of a client together.

    Args:
        edges_us: Where columns begin, and where the last one ends.
        clients: The series of each client.
        now_us: What comes later is not expected yet.

    Returns:
        A row for each client, with a number for each column.
    """
    whose = np.repeat(np.arange(len(clients)), [len(some) for some in clients])
    facts = [one for some in clients for one in some]
    begun_us, interval_us = np.array(facts, dtype=np.int64).reshape(-1, 2, 1).swapaxes(0, 1)
    times = np.clip(edges_us, begun_us, np.maximum(begun_us, now_us))
    found = np.zeros((len(clients), len(edges_us) - 1))
    np.add.at(found, whose, np.diff(times, axis=1) / interval_us)
    return np.floor(found + _ALMOST).astype(np.int64)
