"""How complete each hour of each client is: readings that arrived, of those expected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.expectation import Expecting, expected
from dashboard.quality.account import Sums
from dashboard.quality.hours import Columns
from telemetry.reading import Series

MOST_CLIENTS = 60
MOST_SERIES = 600
"""Whose intervals are asked for one map."""

Shares = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Completeness:
    """The map of completeness.

    Attributes:
        clients: Those shown, worst first.
        shares: A row for each, a column for each hour or day: from 0 to 1, NaN where nothing is
            expected: before its first reading, or less than one reading.
        arrived: How many readings arrived.
        expected: How many were expected, whole ones.
        overall: The share of each client over all columns.
        more: How many further clients there are, of which none is worse.
        silent: Clients of which readings were expected and none arrived.
        unknown: Clients of which nothing can be expected: irregular, or too new.
    """

    clients: Sequence[str]
    shares: Shares
    arrived: NDArray[np.int64]
    expected: NDArray[np.int64]
    overall: Sequence[float]
    more: int
    silent: Sequence[str]
    unknown: Sequence[str]


def asked_of(sums: Sums, begun: Mapping[Series, int]) -> dict[str, list[Series]]:
    """The series whose intervals the map needs, by client: of all clients, or of the worst.

    Which are the worst of very many is guessed: those whose columns differ most from their
    fullest one.
    """
    series: dict[str, list[Series]] = {}
    for one in begun:
        series.setdefault(one.client, []).append(one)
    places = {client: place for place, client in enumerate(sums.clients)}
    if len(begun) <= MOST_SERIES:
        return series
    found: dict[str, list[Series]] = {}
    number = 0
    for client in sorted(series, key=lambda one: _even(sums, places.get(one))):
        number += len(series[client])
        if found and number > MOST_SERIES:
            break
        found[client] = series[client]
    return found


def _even(sums: Sums, place: int | None) -> float:
    """How full its columns are on average, of its fullest; silent clients come last."""
    stored = sums.stored[place] if place is not None else np.zeros(0, dtype=np.int64)
    return float(stored.mean() / stored.max()) if stored.any() else 1.0


def completeness(
    sums: Sums,
    columns: Columns,
    expecting: Mapping[str, Sequence[Expecting]],
    now_us: int,
) -> Completeness:
    """The map of these clients, and what is to be said of those that are not on it.

    Args:
        sums: What arrived.
        columns: When.
        expecting: What is expected of each client; nothing of one that is irregular or too new.
        now_us: What comes later is not expected yet.
    """
    places = {client: place for place, client in enumerate(sums.clients)}
    nothing = np.zeros(len(columns), dtype=np.int64)
    rows: list[tuple[float, str, NDArray[np.int64], NDArray[np.int64]]] = []
    silent, unknown = [], []
    edges = np.array(columns.edges, dtype=np.int64)
    of_each = expected(edges, list(expecting.values()), now_us)
    for client, wanted in zip(expecting, of_each, strict=True):
        arrived = sums.stored[places[client]] if client in places else nothing
        if not wanted.any():
            if arrived.any():
                unknown.append(client)
        elif not arrived.any():
            silent.append(client)
        else:
            there = np.minimum(arrived, wanted).sum()
            rows.append((float(there / wanted.sum()), client, arrived, wanted))
    rows.sort(key=lambda row: row[:2])
    return _map(rows, len(columns), sorted(silent), sorted(unknown))


def _map(
    rows: Sequence[tuple[float, str, NDArray[np.int64], NDArray[np.int64]]],
    width: int,
    silent: Sequence[str],
    unknown: Sequence[str],
) -> Completeness:
    shown = rows[:MOST_CLIENTS]
    arrived = np.array([row[2] for row in shown], dtype=np.int64).reshape(-1, width)
    wanted = np.array([row[3] for row in shown], dtype=np.int64).reshape(-1, width)
    shares = np.full(wanted.shape, np.nan)
    np.divide(np.minimum(arrived, wanted), wanted, out=shares, where=wanted > 0)
    names, overall = [row[1] for row in shown], [row[0] for row in shown]
    return Completeness(
        names, shares, arrived, wanted, overall, len(rows) - len(shown), silent, unknown
    )
