"""The ledger: per client and hour, all that arrived, by what became of it. It must add up."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from telemetry.reading import Series
from telemetry.window import HOUR_US, Window


class Outcome(StrEnum):
    """What became of a message or a reading; the names are columns of the disk format."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    RETAINED = "retained"
    QUARANTINED = "quarantined"
    HELD = "held"
    LIMITED = "limited"


class Account(NamedTuple):
    """Whose part of the ledger, and of which hour.

    Attributes:
        client: The client, or an empty string for messages whose topic names none that has a
            reading or has logged in.
        hour_us: The start of the hour of receipt.
    """

    client: str
    hour_us: int


def account(client: str, received_us: int) -> Account:
    """Where something that arrived then is accounted.

    >>> account("a", 2 * HOUR_US + 1)
    Account(client='a', hour_us=7200000000)
    """
    return Account(client, received_us - received_us % HOUR_US)


class Tally(NamedTuple):
    """How many arrived, and what became of them.

    Attributes:
        received: All that arrived.
        stored: New in the store.
        duplicate: In the store before.
        retained: Kept by the broker and without a time of their own: no news.
        quarantined: Could not become readings; kept raw, with the reason.
        held: Say that they were measured in the future; kept raw.
        limited: Beyond what one client may send.
    """

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    retained: int = 0
    quarantined: int = 0
    held: int = 0
    limited: int = 0

    @property
    def missing(self) -> int:
        """How many arrived and have no outcome; 0 when it adds up.

        >>> Tally(received=3, stored=2, duplicate=1).missing, Tally(received=3, held=1).missing
        (0, 2)
        """
        return self.received - sum(self[1:])


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them together.

    >>> total([Tally(2, 2), Tally(3, 1, 2)])
    Tally(received=5, stored=3, duplicate=2, retained=0, quarantined=0, held=0, limited=0)
    """
    return Tally(*(sum(column) for column in zip(*tallies, Tally(), strict=True)))


class LedgerRow(NamedTuple):
    """One client in one hour.

    Attributes:
        account: Whose, and when.
        messages: What became of the messages; one with a new reading is stored.
        readings: What became of the values in them; a message that could not be read has none.
        erased: Stored readings that somebody removed later.
        expired: Stored readings that were kept as long as they should be.
    """

    account: Account
    messages: Tally
    readings: Tally
    erased: int = 0
    expired: int = 0


class Discrepancy(NamedTuple):
    """A place where the ledger and the rows of the store disagree.

    Attributes:
        account: Where.
        what: What was counted, in words.
        ledger: What the ledger says.
        found: What there is.
    """

    account: Account
    what: str
    ledger: int
    found: int


class Recount(NamedTuple):
    """What the store's rows say of one account.

    Attributes:
        readings: Rows of readings received in that hour.
        messages_quarantined: Messages in quarantine, those no longer kept raw included.
        messages_held: Messages held for their time.
        readings_quarantined: Values in quarantine.
        readings_held: Values held for their time.
    """

    readings: int = 0
    messages_quarantined: int = 0
    messages_held: int = 0
    readings_quarantined: int = 0
    readings_held: int = 0


def discrepancies(row: LedgerRow, found: Recount) -> Iterator[Discrepancy]:
    """Where an hour of the ledger does not add up, or says other than the rows.

    >>> row = LedgerRow(Account("a", 0), Tally(1, 1), Tally(3, 3), erased=1)
    >>> list(discrepancies(row, Recount(readings=2)))
    []
    >>> [d.what for d in discrepancies(row, Recount(readings=3))]
    ['readings in the store']
    """
    messages, readings = row.messages, row.readings
    pairs = (
        ("messages by outcome", messages.received, messages.received - messages.missing),
        ("readings by outcome", readings.received, readings.received - readings.missing),
        ("readings in the store", readings.stored - row.erased - row.expired, found.readings),
        ("messages in quarantine", messages.quarantined, found.messages_quarantined),
        ("messages held", messages.held, found.messages_held),
        ("readings in quarantine", readings.quarantined, found.readings_quarantined),
        ("readings held", readings.held, found.readings_held),
    )
    for what, ledger, counted in pairs:
        if ledger != counted:
            yield Discrepancy(row.account, what, ledger, counted)


class LedgerBook(Protocol):
    """What a snapshot of the store knows of its ledger, and of what the ledger counts."""

    def ledger(self, client: str | None, window: Window) -> Sequence[LedgerRow]:
        """The ledger of the hours that begin in the window, by client and hour."""
        ...

    def recount(self) -> Sequence[Discrepancy]:
        """Where the ledger does not add up, or says other than the rows; empty if it is right."""
        ...

    def begun(self) -> Mapping[Series, int]:
        """Since when readings of each series arrive.

        That is since its oldest one, or since the first hour of its client in the ledger if that
        is later: what was imported is older.
        """
        ...

    def late(self, window: Window) -> Mapping[str, int]:
        """How many late readings of each client were measured in the hours of a window.

        Args:
            window: Whole hours.
        """
        ...
