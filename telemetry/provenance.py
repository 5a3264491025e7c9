"""Where an export comes from, so that its numbers can be cited and got again.

`docs/export.md` says what each key of a manifest means.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from telemetry.address import (
    MOST_SPANS,
    MOST_STATISTICS,
    absolute,
    duration_text,
    in_calendar,
    page_address,
    readings_address,
)
from telemetry.condition import AsOf
from telemetry.export import ExportQuery, Subject
from telemetry.interval import GAPS
from telemetry.reading import Series
from telemetry.rolling import StatisticError, check_statistic
from telemetry.shape import Shape
from telemetry.tally import Tally
from telemetry.version import VERSION
from telemetry.window import SECOND_US, TimeError, to_iso

FORMAT = 1
"""Of a manifest; another number means other keys."""

DEFINITIONS_VERSION = 1
DEFINITIONS_LINK = "docs/mean.md"

_READING = "A reading as it is stored, at its own time t."
_INTERVAL = (
    "The mean of the readings in an interval that begins at the row's time, and of those inside "
    "the window if that cuts it; t is the last microsecond of what counts. For figures of time a "
    "value in it holds until the next one in it, however long that takes."
)
_COVERAGE = (
    "The number of readings in (t - s, t] divided by the number expected there (s divided by the "
    "metric's expected interval, at least one), and at most 1; the interval is set, or learned "
    f"from the newest {GAPS} gaps before the window's end. With share or changes it is, of a "
    "metric of words, the time in (t - s, t] at which some state held, divided by s."
)
_INTERPOLATED = "interpolated on a line between two readings (type 7 of Hyndman and Fan, 1996)"
_STATISTICS: Mapping[str, str] = {
    "mean": "The sum of the readings in (t - s, t] divided by their number.",
    "time_weighted": (
        "The mean of the values that held in (t - s, t], each weighted by how long it held there: "
        "from its reading, which may lie before the span, until the next one, for at most three "
        "expected intervals; if the interval is unknown, until the next one, and none from before."
    ),
    "median": f"The middle of the readings in (t - s, t], {_INTERPOLATED}.",
    "min": "The least of the readings in (t - s, t].",
    "max": "The greatest of the readings in (t - s, t].",
    "std": "The standard deviation of the readings in (t - s, t], of two or more, with n - 1.",
    "rate": (
        "The last reading in (t - s, t] minus the first, divided by the seconds between them, if "
        "there are any."
    ),
    "increase": (
        "By how much a counter rose in (t - s, t], where a step down is a reset after which it "
        "counts from 0, and the step from the reading before counts if the span began within "
        "three expected intervals after that."
    ),
    "share": (
        "The time in (t - s, t] at which the state of time t held, of a boolean the state on, "
        "divided by the time at which some state held."
    ),
    "changes": (
        "The number of readings in (t - s, t] whose state is another than that of the reading "
        "before, while that one still held."
    ),
}


_SPECIAL = re.compile(r"[^ -~\n]")


class TooManySpans(TimeError):
    """More spans than there may be; the message says how many."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Request:
    """An export as it was asked for.

    Attributes:
        query: Whose readings, which, from when to when.
        shape: How they are written.
        start: The start, in the words it was given.
        end: The end, in the words it was given.

    Raises:
        TooManySpans: If there are more than everybody takes whom a manifest leads to.
        StatisticError: If there are more statistics than that.
    """

    query: ExportQuery
    shape: Shape
    start: str
    end: str

    def __post_init__(self) -> None:
        if len(self.query.spans) > MOST_SPANS:
            raise TooManySpans(f"name at most {MOST_SPANS} spans")
        if len(self.query.statistics) > MOST_STATISTICS:
            raise StatisticError(f"name at most {MOST_STATISTICS} statistics")

    @property
    def address(self) -> str | None:
        """Where the API answers the same, whenever it is asked; `None` outside the calendar."""
        return self._address(self._details())

    @property
    def manifest_address(self) -> str | None:
        """Where the API answers with its manifest; `None` outside the calendar."""
        return self._address([*self._details(), ("manifest", "1")])

    def _address(self, details: Iterable[tuple[str, str]]) -> str | None:
        if not in_calendar(self.query.window):
            return None
        return readings_address(self.query, details)

    def _details(self) -> list[tuple[str, str]]:
        query, shape = self.query, self.shape
        pairs = [("statistic", name) for name in query.statistics if query.spans]
        pairs += [("every", duration_text(query.every_us))] if query.every_us else []
        pairs += [("format", shape.format), ("layout", shape.layout)]
        return [*pairs, ("tz", str(shape.zone))]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is said of an export that was read to its end.

    Attributes:
        asked: As it was asked for.
        about: What it is about, and the state of the store in which it began.
        tally: What was counted.
        ended: The state of the store in which it ended.
        made_us: When that was.
        origin: Scheme and host of the dashboard, or an empty string: its links are then relative.
    """

    asked: Request
    about: Subject
    tally: Tally
    ended: AsOf
    made_us: int
    origin: str = ""

    def to_json(self) -> bytes:
        """As a JSON object in UTF-8, keys in a fixed order; what cannot be seen is escaped."""
        facts = {
            "manifest": FORMAT,
            "culex": VERSION,
            "made": to_iso(self.made_us),
            "query": self._query(),
            "as_of": {
                "sequence": self.about.as_of.sequence,
                "received": to_iso(self.about.as_of.time_us),
                "sequence_at_end": self.ended.sequence,
            },
            "content": {
                "rows": self.tally.rows,
                "bytes": self.tally.size,
                "sha256": self.tally.sha256,
            },
            "metrics": [self._metric(place) for place in range(len(self.about.series))],
            "definitions": self._definitions(),
            "links": self._links(),
        }
        text = json.dumps(facts, ensure_ascii=False, indent=2)
        return f"{_SPECIAL.sub(_escaped, text)}\n".encode()

    def _query(self) -> dict[str, object]:
        query, shape = self.asked.query, self.asked.shape
        start, end = absolute(query.window)
        return {
            "client": query.client,
            "metrics": list(query.metrics) or None,
            "start": start,
            "end": end,
            "given": {"start": self.asked.start, "end": self.asked.end},
            "every": duration_text(query.every_us) if query.every_us else None,
            "spans": list(query.spans),
            "statistics": list(query.statistics) if query.spans else [],
            "format": shape.format,
            "layout": shape.layout,
            "zone": str(shape.zone),
        }

    def _metric(self, place: int) -> dict[str, object]:
        latest, count = self.about.series[place], self.tally.of(place)
        readings = not self.asked.query.every_us
        return {
            "metric": latest.series.metric,
            "name": latest.name,
            "kind": latest.kind,
            "unit": latest.unit,
            "rows": count.rows,
            "first": to_iso(count.first_us) if count.rows else None,
            "last": to_iso(count.last_us) if count.rows else None,
            "flags": count.flags if readings else None,
            "timed_by_receipt": count.timed_by_receipt if readings else None,
            "interval": self._interval(latest.series),
        }

    def _interval(self, series: Series) -> dict[str, object] | None:
        cadence = self.about.cadences.get(series)
        if cadence is None or not cadence.is_regular:
            return None
        return {
            "seconds": cadence.interval_us / SECOND_US,
            "set_by": cadence.set_by,
            "confidence": round(cadence.confidence, 2),
        }

    def _definitions(self) -> dict[str, object]:
        query = self.asked.query
        return {
            "version": DEFINITIONS_VERSION,
            "value": _INTERVAL if query.every_us else _READING,
            "statistics": {name: definition(name) for name in query.statistics if query.spans},
            "coverage": _COVERAGE if query.spans else None,
            "link": DEFINITIONS_LINK,
        }

    def _links(self) -> dict[str, str | None]:
        page = page_address(self.asked.query, str(self.asked.shape.zone))
        links = {"page": page, "content": self.asked.address}
        return {name: link and self.origin + link for name, link in links.items()}


def definition(name: str) -> str:
    """A statistic in one sentence, over a span s at a time t; `docs/mean.md` says the rest.

    Raises:
        StatisticError: If there is none of that name.

    >>> definition("max")
    'The greatest of the readings in (t - s, t].'
    >>> definition("p99.9")[:31]
    'The value that 99.9 % of the re'
    """
    known = _STATISTICS.get(check_statistic(name))
    if known is not None:
        return known
    share = name.removeprefix("p")
    return f"The value that {share} % of the readings in (t - s, t] do not exceed, {_INTERPOLATED}."


def _escaped(match: re.Match[str]) -> str:
    """A character of a JSON text; escaped if nobody can see it, as one that turns text around."""
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]
