"""What the ledger says of all clients: how many messages, and how complete today is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

import numpy as np
from numpy.typing import NDArray

from dashboard.expectation import expected, expecting_of
from dashboard.fleet.rates import Rates, rates
from telemetry.interface import Snapshot
from telemetry.interval import Cadence
from telemetry.ledger import LedgerRow
from telemetry.reading import RESERVED_CLIENTS, Series
from telemetry.window import ALL_TIME, HOUR_US, SECOND_US, Window, to_us

Grid = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger of today, in few numbers.

    Attributes:
        at_us: When it was looked at.
        day_us: When the day began.
        rates: How many messages each client sends in a minute.
        complete: The share of the readings expected today that arrived, of each client of which
            some are expected.
        complete_all: The same of all of them together; NaN if nothing is expected.
        rejected: The share of today's messages that could not become readings; NaN without any.
        begun_us: Since when readings of each client arrive.
    """

    at_us: int
    day_us: int
    rates: Rates
    complete: Mapping[str, float]
    complete_all: float
    rejected: float
    begun_us: Mapping[str, int]


NO_BOOKS = Books(ALL_TIME.start_us, ALL_TIME.start_us, Rates(), {}, math.nan, math.nan, {})
"""Before anybody looked."""


def day_start_us(now_us: int, zone: tzinfo) -> int:
    """The whole hour in which the day of a zone began: the ledger counts by hours of UTC."""
    moment = datetime.fromtimestamp(now_us // SECOND_US, zone)
    begun_us = to_us(moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0))
    return begun_us // HOUR_US * HOUR_US


def books_of(
    snapshot: Snapshot,
    cadences: Mapping[Series, Cadence],
    day_us: int,
    now_us: int,
    before: Rates,
) -> Books:
    """Today's books, of the rows of the ledger: one for each client and hour.

    Args:
        snapshot: The store.
        cadences: How often series report.
        day_us: When the day began.
        now_us: The present.
        before: The rates of an earlier look, from which messages are counted.
    """
    hour_us = now_us // HOUR_US * HOUR_US
    rows = snapshot.ledger(None, Window(min(day_us, hour_us - HOUR_US), now_us + 1))
    rows = [one for one in rows if one.account.client not in RESERVED_CLIENTS]
    today = [one for one in rows if one.account.hour_us >= day_us]
    begun = snapshot.begun()
    complete, complete_all = _complete(today, begun, cadences, day_us, now_us)
    received = sum(one.messages.received for one in today)
    rejected = sum(one.messages.quarantined for one in today)
    return Books(
        now_us,
        day_us,
        rates(rows, before, now_us),
        complete,
        complete_all,
        rejected / received if received else math.nan,
        _first_of_each(begun),
    )


def _first_of_each(begun: Mapping[Series, int]) -> dict[str, int]:
    first: dict[str, int] = {}
    for series, begun_us in begun.items():
        first[series.client] = min(begun_us, first.get(series.client, begun_us))
    return first


def _complete(
    today: Sequence[LedgerRow],
    begun: Mapping[Series, int],
    cadences: Mapping[Series, Cadence],
    day_us: int,
    now_us: int,
) -> tuple[dict[str, float], float]:
    """Of each client and of all: readings that arrived, hour by hour no more than expected."""
    series: dict[str, list[Series]] = {}
    for one in cadences:
        if one in begun and one.client not in RESERVED_CLIENTS:
            series.setdefault(one.client, []).append(one)
    names = {client: place for place, client in enumerate(series)}
    edges = np.append(np.arange(day_us, now_us, HOUR_US, dtype=np.int64), now_us)
    of_each = expected(edges, list(expecting_of(series, begun, cadences).values()), now_us)
    there = np.minimum(_arrived(today, names, day_us, of_each.shape[1]), of_each)
    wanted = of_each.sum(axis=1)
    shares = np.divide(there.sum(axis=1), wanted, out=np.full(len(names), np.nan), where=wanted > 0)
    found = {client: float(shares[place]) for client, place in names.items() if wanted[place]}
    return found, float(there.sum() / wanted.sum()) if wanted.sum() else math.nan


def _arrived(today: Sequence[LedgerRow], names: Mapping[str, int], day_us: int, hours: int) -> Grid:
    arrived = np.zeros((len(names), hours))
    for (client, at_us), _, readings, *_ in today:
        place, hour = names.get(client), (at_us - day_us) // HOUR_US
        if place is not None and hour < hours:
            arrived[place, hour] = readings.stored
    return arrived
