"""The ledger's side of a transaction: counts that are exact because they commit with the rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from telemetry.batch import Arrival
from telemetry.ledger import Account, Discrepancy, LedgerRow, Outcome, Recount, Tally, discrepancies
from telemetry.quarantine import Quarantined
from telemetry.reading import RESERVED_CLIENTS, Series
from telemetry.store.head import Connection
from telemetry.window import HOUR_US, Window

_PLACES = {outcome: number for number, outcome in enumerate(Outcome, 1)}
_WIDTH = len(_PLACES) + 1
_STORED, _DUPLICATE = _PLACES[Outcome.STORED], _PLACES[Outcome.DUPLICATE]
_COLUMNS = [
    name
    for unit in ("messages", "readings")
    for name in (unit, *(f"{unit}_{outcome}" for outcome in Outcome))
] + ["erased", "expired"]
_ERASED, _EXPIRED = 2 * _WIDTH, 2 * _WIDTH + 1
_ADD = (
    f"INSERT INTO ledger (client, hour_us, {', '.join(_COLUMNS)}) "  # noqa: S608  # our own column names
    f"VALUES (?, ?, {', '.join('?' * len(_COLUMNS))}) ON CONFLICT DO UPDATE SET "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in _COLUMNS)
)
_OF_ALL = """WITH RECURSIVE one(client) AS (SELECT min(client) FROM ledger UNION ALL
    SELECT (SELECT min(client) FROM ledger WHERE client > one.client) FROM one
    WHERE client IS NOT NULL)"""  # a jump to each client's hours, however many years there are
_OF_ONE = "WITH one(client) AS (VALUES (?))"
_LEDGER = (
    f"SELECT client, hour_us, {', '.join(_COLUMNS)} FROM one CROSS JOIN ledger USING (client) "  # noqa: S608  # our own column names
    "WHERE hour_us >= ? AND hour_us < ? ORDER BY client, hour_us"
)
_BEGUN = """SELECT client, metric, max(oldest_us, coalesce(
        (SELECT hour_us FROM ledger WHERE ledger.client = series.client AND readings_stored > 0
            ORDER BY hour_us LIMIT 1), oldest_us))
    FROM series"""
_ROWS = f"""SELECT client, received_us - (received_us % {HOUR_US} + {HOUR_US}) % {HOUR_US}, count(*)
    FROM (SELECT client, time_us + delay_us AS received_us
        FROM reading JOIN series ON series.id = reading.series) GROUP BY 1, 2"""  # noqa: S608  # a constant
_QUARANTINED = """SELECT client, hour_us, sum(messages_quarantined), sum(messages_held),
    sum(readings_quarantined), sum(readings_held) FROM quarantine GROUP BY 1, 2"""


class Books:
    """What a transaction adds to the ledger."""

    def __init__(self) -> None:
        self._counts: dict[Account, list[int]] = {}

    def add(self, arrival: Arrival, stored: int) -> None:
        """Counts a message and its readings, of which `stored` are new."""
        self._count_message(arrival, stored)
        self.add_readings(arrival, stored, len(arrival.readings) - stored)

    def _count_message(self, arrival: Arrival, stored: int) -> None:
        counts = self._of(arrival.account)
        counts[0] += 1
        counts[_STORED if stored else _PLACES[arrival.outcome]] += 1

    def add_readings(self, arrival: Arrival, stored: int, duplicate: int) -> None:
        """Counts readings of a message: new ones, known ones, and those it has set apart."""
        counts = self._of(arrival.account)
        counts[_WIDTH] += stored + duplicate
        counts[_WIDTH + _STORED] += stored
        counts[_WIDTH + _DUPLICATE] += duplicate
        for outcome, number in arrival.apart:
            counts[_WIDTH] += number
            counts[_WIDTH + _PLACES[outcome]] += number

    def settle(self, message: Quarantined, arrival: Arrival, stored: int) -> int:
        """Counts a message that leaves quarantine as what it came to now, and no longer as before.

        Its values that were good before stay counted as what they were: they are duplicates only
        now. Returns how many good values of it its account counts from now on.
        """
        before = message.good if message.account == arrival.account else 0
        known = max(0, len(arrival.readings) - stored - before)
        self._take_back(message)
        if message.outcome is not None:
            self._count_message(arrival, stored)
        self.add_readings(arrival, stored, known)
        return before + stored + known

    def _take_back(self, message: Quarantined) -> None:
        counts = self._of(message.account)
        if message.outcome is not None:
            counts[0] -= 1
            counts[_PLACES[message.outcome]] -= 1
        for outcome, number in (
            (Outcome.QUARANTINED, message.quarantined),
            (Outcome.HELD, message.held),
            (Outcome.RETAINED, message.retained),
            (Outcome.LIMITED, message.limited),
        ):
            counts[_WIDTH] -= number
            counts[_WIDTH + _PLACES[outcome]] -= number

    def erase(self, account: Account, number: int) -> None:
        """Counts stored readings that are removed."""
        self._of(account)[_ERASED] += number

    def expire(self, account: Account, number: int) -> None:
        """Counts stored readings that are over."""
        self._of(account)[_EXPIRED] += number

    def repeat(self, account: Account, number: int) -> None:
        """Counts readings as duplicates that were counted as stored before."""
        counts = self._of(account)
        counts[_WIDTH + _STORED] -= number
        counts[_WIDTH + _DUPLICATE] += number

    def write(self, connection: Connection) -> None:
        """Adds it all to the ledger, inside the transaction of the rows that it counts."""
        connection.executemany(_ADD, ((*key, *counts) for key, counts in self._counts.items()))

    def _of(self, account: Account) -> list[int]:
        counts = self._counts.get(account)
        if counts is None:
            counts = self._counts[account] = [0] * len(_COLUMNS)
        return counts


def read_ledger(connection: Connection, client: str | None, window: Window) -> list[LedgerRow]:
    """The ledger of the hours that begin in the window, by client and hour."""
    whose, given = (_OF_ALL, []) if client is None else (_OF_ONE, [client])
    rows = connection.execute(f"{whose} {_LEDGER}", (*given, window.start_us, window.end_us))
    return [
        LedgerRow(
            Account(name, hour_us),
            Tally(*counts[:_WIDTH]),
            Tally(*counts[_WIDTH:_ERASED]),
            counts[_ERASED],
            counts[_EXPIRED],
        )
        for name, hour_us, *counts in rows
    ]


def read_begun(connection: Connection) -> dict[Series, int]:
    """Since when readings of each series arrive: since its oldest, or the first hour of its client.

    What was imported is older than that.
    """
    rows = connection.execute(_BEGUN)
    return {Series(client, metric): begun_us for client, metric, begun_us in rows}


def recount(
    connection: Connection, ledger: Iterable[LedgerRow], sealed: Mapping[Account, int]
) -> Iterator[Discrepancy]:
    """Where the ledger does not add up, or says other than the rows there are.

    Args:
        connection: In a transaction.
        ledger: All of it.
        sealed: How many readings blocks have, by client and hour of receipt.
    """
    found = _recounted(connection, sealed)
    for row in ledger:
        yield from discrepancies(row, found.pop(row.account, Recount()))
    for account, counts in found.items():
        yield from discrepancies(LedgerRow(account, Tally(), Tally()), counts)


def _recounted(connection: Connection, sealed: Mapping[Account, int]) -> dict[Account, Recount]:
    stored = Counter(sealed)
    for client, hour_us, number in connection.execute(_ROWS):
        stored[Account(client, hour_us)] += number
    for account in [one for one in stored if one.client in RESERVED_CLIENTS]:
        del stored[account]
    quarantined = {
        Account(client, hour_us): tuple(counts)
        for client, hour_us, *counts in connection.execute(_QUARANTINED)
    }
    return {
        account: Recount(stored[account], *quarantined.get(account, ()))
        for account in dict.fromkeys(chain(stored, quarantined))
    }
