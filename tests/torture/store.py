"""What the store says, read as the dashboard reads it."""

from collections import Counter

from telemetry.condition import WriterState
from telemetry.interface import StoreError
from telemetry.ledger import Tally, total
from telemetry.presence import EventKind
from telemetry.reading import Series
from telemetry.settings import Settings
from telemetry.store import open_querier
from telemetry.window import ALL_TIME
from tests.torture.verdict import Rows

_NEWEST = 5000  # enough for what a jump of the clock puts out of order, and soon read


def writer(settings: Settings) -> WriterState:
    """What the collector last said of itself."""
    try:
        with open_querier(settings.store_path).snapshot() as snapshot:
            return snapshot.writer()
    except StoreError:
        return WriterState()


def rows(settings: Settings, series: Series) -> Rows:
    """Value and flags of each reading of a series, by its time."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        frame = snapshot.read(series, ALL_TIME).frame
    return list(zip(frame["value"].tolist(), frame["flags"].tolist(), strict=True))


def times_us(settings: Settings, series: Series) -> list[int]:
    """When each reading of a series was measured, oldest first."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return list(snapshot.read(series, ALL_TIME).frame["time_us"].tolist())


def highest(settings: Settings, series: Series) -> float:
    """The highest number among the newest readings of a series; -1 if there are none."""
    try:
        with open_querier(settings.store_path).snapshot() as snapshot:
            newest = snapshot.tail(series, ALL_TIME, _NEWEST).frame["value"]
    except StoreError:
        return -1.0
    return max(newest, default=-1.0)


def messages(settings: Settings) -> Tally:
    """What became of all messages, by the collector's own ledger."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return total(row.messages for row in snapshot.ledger(None, ALL_TIME))


def readings(settings: Settings) -> int:
    """Readings that messages brought and that are there."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return sum(row.readings.stored - row.erased for row in snapshot.ledger(None, ALL_TIME))


def events(settings: Settings) -> Counter[EventKind]:
    """How often what happened."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return Counter(event.kind for event in snapshot.events(None, ALL_TIME))


def discrepancies(settings: Settings) -> int:
    """Places where the collector's ledger does not add up."""
    with open_querier(settings.store_path).snapshot() as snapshot:
        return len(snapshot.recount())
