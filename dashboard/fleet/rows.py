"""A client as a row of the grid: small, and the same as long as nothing of it changes."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from dashboard.digits import notation
from dashboard.display import printable, value_text
from dashboard.fleet.books import Books
from dashboard.fleet.members import Apart, Member, rank
from dashboard.fleet.sparks import Spark
from dashboard.presence import State
from telemetry.reading import Kind

Row = dict[str, Any]  # what AG Grid and assets/dashAgGridComponentFunctions.js read

_NEARLY_ALL = 990

GROUPS: Mapping[State | Apart, str] = {
    State.CONNECTED: "online",
    State.REPORTING: "online",
    State.SILENT: "silent",
    State.DISCONNECTED: "disconnected",
    State.UNKNOWN: "unknown",
    State.COLLECTOR_DOWN: "unknown",
    Apart.UNSEEN: "idle",
    Apart.SHUT_OUT: "idle",
}
"""Which tile counts a client of that state."""


def row_of(member: Member, books: Books, tags: Sequence[str], spark: Spark | None) -> Row:
    """The row of a client; its age is not in it, the browser keeps that.

    Args:
        member: The client.
        books: Say how many messages it sends, and how complete its day is.
        tags: Its tags.
        spark: Its sparkline.
    """
    rate, complete = books.rates.per_minute.get(member.client), books.complete.get(member.client)
    row: Row = {
        "id": member.client,
        "rank": rank(member),
        "state": member.state,
        "group": GROUPS[member.state],
        "words": _shown(member.words.removeprefix(f"{member.state}; ")),
        "seen": member.seen_us // 1000,
        "every": member.every_us // 1000,
        "values": [
            [_shown(one.series.metric), *written(one.value, one.kind, one.unit)]
            for one in member.newest
        ],
    }
    more: Row = {
        "name": name if (name := _shown(member.client)) != member.client else None,
        "more": member.metrics - len(member.newest) or None,
        "rate": None if rate is None else float(f"{rate:.2g}"),
        "complete": None if complete is None else per_cent(complete),
        "tags": [_shown(tag) for tag in tags] or None,
        "spark": [spark.points, spark.low, spark.high] if spark and spark.points else None,
        "simulated": member.simulated or None,
    }
    return row | {key: value for key, value in more.items() if value is not None}


_shown = lru_cache(maxsize=20_000)(printable)


def per_cent(share: float) -> float:
    """A share in per cent, never more than it is, in tenths where nearly all is there.

    >>> per_cent(0.9996), per_cent(0.555)
    (99.9, 55.0)
    """
    tenths = int(share * 1000)
    return tenths / 10 if tenths >= _NEARLY_ALL else float(tenths // 10)


@lru_cache(maxsize=20_000)
def written(value: float | str, kind: Kind, unit: str) -> tuple[str, str]:
    """A value and its unit, as tiles write a single reading.

    >>> written(1_234_567.0, Kind.NUMBER, "W"), written(1.0, Kind.BOOLEAN, "")
    (('1.235', 'MW'), ('on', ''))
    """
    numbers = [] if kind is not Kind.NUMBER or isinstance(value, str) else [value]
    how = notation(np.array(numbers, dtype=np.float64), unit)
    return value_text(value, kind, how), printable(how.unit)
