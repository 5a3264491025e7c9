"""Storage: what files weigh, whose they are, and how long there is room."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from dash import html
from dash.development.base_component import Component

from dashboard.admin.tables import Cell, bytes_text, table
from dashboard.display import clock_text, count_text, printable
from telemetry.condition import WriterState
from telemetry.interface import Querier
from telemetry.settings import Settings
from telemetry.store.inventory import Inventory, inventory
from telemetry.usage import Forecast, Usage

_CLIENTS_SHOWN = 50
_TIERS = {"readings": "Readings", "rollup_1m": "Minutes", "rollup_1h": "Hours"}


@dataclass(frozen=True, slots=True)
class Storage:
    """What a data folder holds.

    Attributes:
        usage: By client, and what is to come.
        inventory: The files of the history, by tier.
        sizes: What other files weigh, in bytes, by what they are.
        asked_us: When this was so.
    """

    usage: Usage
    inventory: Inventory
    sizes: dict[str, int]
    asked_us: int


def storage_of(querier: Querier, settings: Settings, now_us: int) -> Storage:
    """What the data folder of these settings holds now; it takes a while on a long history.

    Raises:
        StoreError: If that cannot be told now.
    """
    return Storage(
        querier.usage(settings.policy.retention, now_us),
        inventory(settings.store_path),
        file_sizes(settings),
        now_us,
    )


def file_sizes(settings: Settings) -> dict[str, int]:
    """What the files beside the history weigh, in bytes; 0 where there is none."""
    store = settings.store_path
    return {
        "Database": _size(store),
        "Write-ahead log": _size(store.with_name(f"{store.name}-wal")),
        "Logs": sum(map(_size, settings.logs_dir.glob("*.log*"))),
        "Broker": sum(map(_size, settings.broker_dir.glob("*.db*"))),
    }


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def tiles(storage: Storage, writer: WriterState) -> list[Component]:
    """The figures that matter most."""
    usage, forecast = storage.usage, storage.usage.forecast
    blocks = sum(one.size for one in storage.inventory.stocks)
    readings = sum(one.readings for one in usage.shares)
    free = "–" if writer.free_bytes is None else bytes_text(writer.free_bytes)
    return [
        _tile("Readings", count_text(readings), f"of {len(usage.shares)} clients"),
        _tile("History", bytes_text(blocks), _growth(forecast)),
        _tile("Database", bytes_text(storage.sizes["Database"]), _wal(storage)),
        _tile("Free on the disk", free, outlook(forecast)),
    ]


def _growth(forecast: Forecast) -> str:
    if not forecast.day_bytes:
        return "no file yet"
    return f"grows by {bytes_text(forecast.day_bytes)} a day"


def _wal(storage: Storage) -> str:
    return f"write-ahead log {bytes_text(storage.sizes['Write-ahead log'])}"


def outlook(forecast: Forecast) -> str:
    """Until when there is room, in words."""
    days = forecast.full_days
    if not forecast.day_bytes:
        return "too early for a forecast"
    if days is None:
        return f"never full: levels off at {bytes_text(forecast.balance_bytes)}"
    return f"full in {count_text(days)} days, as it grows now"


def _tile(name: str, value: str, text: str) -> html.Div:
    return html.Div(
        [
            html.Div(name, className="tile-name"),
            html.Div(html.Span(value, className="tile-value"), className="tile-now"),
            html.Div(html.Span(text), className="tile-age"),
        ],
        className="tile",
    )


def tier_table(stock: Inventory, zone: tzinfo) -> html.Div:
    """The files of the history, by tier."""
    heads = ("Tier", "Files", "Rows", "Size", "Oldest", "Newest", "Last written", "State")
    rows = [
        (
            _TIERS[one.tier], Cell(count_text(one.files)), Cell(count_text(one.rows)),
            Cell(bytes_text(one.size)), _day(one.first_us, zone), _day(one.last_us, zone),
            _day(one.written_us, zone), _state(one.damaged, one.surplus),
        )
        for one in stock.stocks
    ]  # fmt: skip
    none = "No file yet: readings move into files once they are some hours old."
    return table("Files of the history", heads, rows, none)


def _day(time_us: int | None, zone: tzinfo) -> str:
    return "–" if time_us is None else clock_text(time_us, zone)[:16]


def _state(damaged: int, surplus: int) -> str:
    if damaged:
        return f"{count_text(damaged)} cannot be read"
    return f"{count_text(surplus)} to be merged" if surplus else "whole"


def client_table(usage: Usage) -> html.Div:
    """What is of whom, the heaviest first."""
    shares = sorted(usage.shares, key=lambda one: (-sum(one.sizes), -one.readings, one.client))
    heads = ("Client", "Readings", "Size", "of readings", "of minutes", "of hours")
    rows: list[Sequence[Cell | str]] = [
        (
            printable(client),
            Cell(count_text(readings)),
            *(Cell(bytes_text(size)) for size in (sum(sizes), *sizes)),
        )
        for client, readings, sizes in shares[:_CLIENTS_SHOWN]
    ]
    rows += _rest(shares[_CLIENTS_SHOWN:], usage.unread_bytes)
    return table("Storage by client", heads, rows, "Nothing is stored yet.")


def _rest(
    shares: Sequence[tuple[str, int, tuple[int, int, int]]], unread: int
) -> Iterator[Sequence[Cell | str]]:
    """One row for all clients that are not listed, one for what cannot be read."""
    if shares:
        sizes = [sum(column) for column in zip(*(one[2] for one in shares), strict=True)]
        cells = (Cell(bytes_text(size)) for size in (sum(sizes), *sizes))
        readings = Cell(count_text(sum(one[1] for one in shares)))
        yield (f"{len(shares)} more clients", readings, *cells)
    if unread:
        yield ("(cannot be read)", "", Cell(bytes_text(unread)), "", "", "")
