"""What arrived and what became of it: sums of the ledger by column and by client."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dashboard.quality.hours import Columns
from dashboard.quality.names import READINGS_OF
from telemetry.ledger import Account, LedgerRow, Outcome, Tally

_WIDTH = len(Tally._fields)

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of the ledger over the columns that are shown.

    Attributes:
        clients: Whose there are, in order of name; an empty name stands for nobody that is known.
        messages: A row for each column, the fields of a `Tally` across.
        readings: The same of readings.
        client_messages: A row for each client.
        client_readings: The same of readings.
        stored: Readings that are new in the store, a row for each client and a column for each.
        erased: Readings stored then that somebody removed since.
        expired: Readings stored then that were kept as long as they should be.
        wrong: Where what is counted by outcome is not what arrived: messages, readings.
    """

    clients: Sequence[str]
    messages: Counts
    readings: Counts
    client_messages: Counts
    client_readings: Counts
    stored: Counts
    erased: int
    expired: int
    wrong: "tuple[Sequence[Missing], Sequence[Missing]]"

    def columns_of(self, what: str) -> Counts:
        """Messages or readings by column."""
        return self.readings if what == READINGS_OF else self.messages

    def wrong_of(self, what: str) -> "Sequence[Missing]":
        """Where messages or readings do not add up."""
        return self.wrong[what == READINGS_OF]

    def total(self, what: str) -> Tally:
        """All messages or readings."""
        return Tally(*self.columns_of(what).sum(axis=0).tolist())

    def tally(self, client: int, what: str) -> Tally:
        """The messages or readings of the client at that place."""
        counts = self.client_readings if what == READINGS_OF else self.client_messages
        return Tally(*counts[client].tolist())


class Missing(NamedTuple):
    """A place where it does not add up, and by how much."""

    account: Account
    number: int


class Part(NamedTuple):
    """A term of the equation."""

    outcome: Outcome
    number: int


def sums_of(rows: Sequence[LedgerRow], columns: Columns) -> Sums:
    """The sums of rows that are all of these columns.

    >>> rows = [LedgerRow(Account("a", 0), Tally(3, 2, 1), Tally(2, 2))]
    >>> sums_of(rows, Columns((0, 3_600_000_000), days=False)).total("messages")
    Tally(received=3, stored=2, duplicate=1, retained=0, quarantined=0, held=0, limited=0)
    """
    clients = sorted({row.account.client for row in rows})
    known = {client: place for place, client in enumerate(clients)}
    whose = np.array([known[row.account.client] for row in rows], dtype=np.intp)
    when = np.array([columns.place(row.account.hour_us) for row in rows], dtype=np.intp)
    messages = _counts([row.messages for row in rows])
    readings = _counts([row.readings for row in rows])
    stored = np.zeros((len(clients), len(columns)), dtype=np.int64)
    np.add.at(stored, (whose, when), readings[:, 1])
    return Sums(
        clients,
        messages=_added(messages, when, len(columns)),
        readings=_added(readings, when, len(columns)),
        client_messages=_added(messages, whose, len(clients)),
        client_readings=_added(readings, whose, len(clients)),
        stored=stored,
        erased=sum(row.erased for row in rows),
        expired=sum(row.expired for row in rows),
        wrong=(
            [Missing(row.account, row.messages.missing) for row in rows if row.messages.missing],
            [Missing(row.account, row.readings.missing) for row in rows if row.readings.missing],
        ),
    )


def _counts(tallies: Sequence[Tally]) -> Counts:
    return np.array(tallies, dtype=np.int64).reshape(-1, _WIDTH)


def _added(counts: Counts, places: NDArray[np.intp], number: int) -> Counts:
    added = np.zeros((number, _WIDTH), dtype=np.int64)
    np.add.at(added, places, counts)
    return added


def equation(tally: Tally) -> list[Part]:
    """The outcomes that what arrived is the sum of: those that are not 0, stored always.

    >>> [(part.outcome.value, part.number) for part in equation(Tally(3, 2, held=1))]
    [('stored', 2), ('held', 1)]
    """
    parts = [Part(outcome, getattr(tally, outcome)) for outcome in Outcome]
    return [part for part in parts if part.number or part.outcome is Outcome.STORED]
