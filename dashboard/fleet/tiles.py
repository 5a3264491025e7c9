"""The tiles of the fleet: how many clients are in which state, and how the whole is doing."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.display import NOTHING, count_text
from dashboard.fleet.survey import Survey
from dashboard.parts import icon
from dashboard.sight import sees_all
from telemetry.reading import Latest, Series
from telemetry.window import SECOND_US

_RATE = Series("collector", "messages_rate")
_RATE_US = 30 * SECOND_US
_LEAST_SHARE, _MOST_SHARE = 0.0001, 0.995  # what two digits show

TILES: Mapping[str, tuple[str, str]] = {
    "": ("grid-3x3-gap", "Clients"),
    "online": ("check-circle-fill", "Online"),
    "silent": ("hourglass-split", "Silent"),
    "disconnected": ("x-octagon-fill", "Disconnected"),
    "unknown": ("question-circle-fill", "Not known"),
    "idle": ("dash-circle-fill", "Not in use"),
}
"""By the state that they filter for: symbol and name; the first shows all."""


def choices(counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The tiles that filter, as choices of a group of radio buttons."""
    return [
        {
            "value": group,
            "label": html.Span(_tile(symbol, name, count_text(counts.get(group, 0)))),
            "label_id": f"fleet-tile-{group or 'all'}",
        }
        for group, (symbol, name) in TILES.items()
    ]


def figures(found: Survey, now_us: int) -> list[html.Div]:
    """The tiles that only tell."""
    books = found.books
    facts = (
        ("activity", "Messages now", *_messages(found, now_us)),
        ("shield-exclamation", "Rejected today", _share(books.rejected), "of the messages"),
        ("pie-chart", "Complete today", _share(books.complete_all, down=True),
         "readings that arrived, of those expected"),
    )  # fmt: skip
    return [
        html.Div(_tile(symbol, name, value), className="fleet-tile", title=title)
        for symbol, name, value, title in facts
    ]


def _tile(symbol: str, name: str, value: str) -> list[Component]:
    return [
        html.Span([icon(symbol), html.Span(name)], className="fleet-tile-name"),
        html.Span(value, className="fleet-tile-value"),
    ]


def _messages(found: Survey, now_us: int) -> tuple[str, str]:
    """How many arrive each second; who may see some clients is told of those, from the ledger."""
    if sees_all():
        return _collected(found.latest, now_us), "all that arrives, each second"
    rates = found.books.rates.per_minute.values()
    return _rate(sum(rates) / 60) if rates else NOTHING, "of these clients, each second"


def _collected(latest: Sequence[Latest], now_us: int) -> str:
    found = next((one for one in latest if one.series == _RATE), None)
    if found is None or isinstance(found.value, str) or now_us - found.time_us > _RATE_US:
        return NOTHING
    return _rate(found.value)


def _rate(each_second: float) -> str:
    return f"{each_second:.3g}/s" if each_second < 999.5 else f"{each_second:.0f}/s"  # noqa: PLR2004  # three digits


def _share(share: float, *, down: bool = False) -> str:
    """A share in per cent; what is nearly all is never said to be all, nor little to be nothing.

    >>> _share(0.99996, down=True), _share(0.00001), _share(0.0), _share(1.0)
    ('99.9 %', '< 0.01 %', '0 %', '100 %')
    """
    if math.isnan(share):
        return NOTHING
    if down:
        return f"{math.floor(share * 1000) / 10:g} %"
    if 0 < share < _LEAST_SHARE:
        return "< 0.01 %"
    return f"{share * 100:.2g} %" if share < _MOST_SHARE else f"{share * 100:.0f} %"
