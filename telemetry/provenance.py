"""Where an export comes from, so that its numbers can be cited and got again.

`docs/export.md` says what each key of a manifest means.
"""

import json
import re
from dataclasses import dataclass

from telemetry.address import absolute, duration_text, page_address, readings_address
from telemetry.condition import AsOf
from telemetry.export import ExportQuery, Subject
from telemetry.reading import Series
from telemetry.shape import Shape
from telemetry.tally import Tally
from telemetry.version import VERSION
from telemetry.window import SECOND_US, to_iso

FORMAT = 1
"""Of a manifest; another number means other keys."""

MEAN_VERSION = 1
MEAN = (
    "A rolling mean over the span s at a row's time t is the arithmetic mean of the readings in "
    "(t - s, t], and empty if there are none; with every, a row's value is the mean of the "
    "readings of its interval, and t the last microsecond of that. "
    "Coverage is the number of readings in the span divided by the number expected there (the "
    "span divided by the metric's expected interval, at least one), and at most 1."
)
MEAN_LINK = "docs/mean.md"

_SPECIAL = re.compile(r"[^ -~\n]")


@dataclass(frozen=True, slots=True)
class Request:
    """An export as it was asked for.

    Attributes:
        query: Whose readings, which, from when to when.
        shape: How they are written.
        start: The start, in the words it was given.
        end: The end, in the words it was given.
    """

    query: ExportQuery
    shape: Shape
    start: str
    end: str

    @property
    def address(self) -> str:
        """Where the API answers the same, whenever it is asked."""
        return readings_address(self.query, self._details())

    @property
    def manifest_address(self) -> str:
        """Where the API answers with its manifest."""
        return readings_address(self.query, [*self._details(), ("manifest", "1")])

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
            "mean": {"version": MEAN_VERSION, "definition": MEAN, "link": MEAN_LINK},
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

    def _links(self) -> dict[str, str]:
        page = page_address(self.asked.query, str(self.asked.shape.zone))
        return {"page": self.origin + page, "content": self.origin + self.asked.address}


def _escaped(match: re.Match[str]) -> str:
    """A character of a JSON text; escaped if nobody can see it, as one that turns text around."""
    return match[0] if match[0].isprintable() else json.dumps(match[0])[1:-1]
