"""What a page shows, as its URL says it: clients, metrics, time, spans, zone and options."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import lru_cache
from urllib.parse import parse_qs, urlencode

from telemetry.address import MOST_SPANS, PAGE
from telemetry.window import (
    SECOND_US,
    TimeError,
    Window,
    parse_duration,
    parse_time,
    parse_zone,
    to_iso,
)

DEFAULT_START = "now-15m"
_FIELDS = frozenset({"id", "metric", "from", "to", "span", "tz"})
_OPTION = re.compile(r"[a-z_]{1,24}")
_OPTION_LENGTH, _MOST_OPTIONS = 200, 12


class ViewError(ValueError):
    """A view that cannot be shown; the message says which part and why."""


@dataclass(frozen=True, slots=True)
class View:
    """The state of a page; every field survives in its URL.

    Attributes:
        clients: The clients shown; none means what the page takes by itself.
        metrics: The metrics shown; none means all, or what the page takes by itself.
        start: When the charts begin: `now-15m` follows the clock, ISO 8601 stays.
        end: `now`, or ISO 8601.
        spans: The rolling means shown; none means those of the settings.
        zone: An IANA name, or an empty string for the browser's own.
        options: What one page alone knows, by name.
    """

    clients: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    start: str = DEFAULT_START
    end: str = "now"
    spans: tuple[str, ...] = ()
    zone: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def client(self) -> str:
        """The first client, or an empty string."""
        return self.clients[0] if self.clients else ""

    def option(self, name: str, default: str = "") -> str:
        """An option, or its default."""
        return self.options.get(name, default)

    @property
    def follows(self) -> bool:
        """Whether the window moves with the clock."""
        return self.end == "now"

    def window(self, now_us: int, zone: tzinfo) -> Window:
        """The window meant at this moment.

        Raises:
            ViewError: If start or end is no time or too far away, or the start is not before the
                end.
        """
        try:
            start_us = parse_time(self.start, now_us, zone)
            end_us = parse_time(self.end, now_us, zone)
            if start_us < PAGE.start_us or end_us > PAGE.end_us:
                raise ViewError("choose times between the years 1900 and 9000")
            return Window(start_us, end_us)
        except TimeError as error:
            raise ViewError(str(error)) from None

    def fixed(self, window: Window) -> "View":
        """The view standing still on that window."""
        return replace(self, start=to_iso(window.start_us), end=to_iso(window.end_us))

    def moved(self, now_us: int, zone: tzinfo, share: float) -> "View":
        """The view standing still, moved by a share of its length; never into the future."""
        window = self.window(now_us, zone)
        step_us = min(int(window.length_us * share), now_us - window.end_us)
        step_us = max(step_us, PAGE.start_us - window.start_us)
        return self.fixed(Window(window.start_us + step_us, window.end_us + step_us))

    def wider(self, now_us: int, zone: tzinfo) -> "View":
        """The view of twice the time: it goes on following, or grows to both sides, if it can."""
        window = self.window(now_us, zone)
        if self.follows:
            start_us = max(window.start_us - window.length_us, PAGE.start_us)
            return replace(self, start=f"now-{_duration(window.end_us - start_us)}")
        start_us = max(window.start_us - window.length_us // 2, PAGE.start_us)
        return self.fixed(Window(start_us, min(start_us + 2 * window.length_us, PAGE.end_us)))

    def query(self) -> str:
        """The query string that `view_of_query` reads back; defaults are left out."""
        parts: list[tuple[str, str]] = [("id", client) for client in self.clients]
        parts += [("metric", metric) for metric in self.metrics]
        if (self.start, self.end) != (DEFAULT_START, "now"):
            parts += [("from", self.start), ("to", self.end)]
        parts += [("span", span) for span in self.spans]
        if self.zone:
            parts.append(("tz", self.zone))
        parts += self.options.items()
        return _query(tuple(parts)) if parts else ""


@lru_cache(maxsize=1024)  # a page asks for its own several times a second
def _query(parts: tuple[tuple[str, str], ...]) -> str:
    return f"?{urlencode(parts)}"


def _duration(length_us: int) -> str:
    """A length in its largest whole unit, as `parse_duration` reads it: `30m`."""
    seconds = length_us // SECOND_US
    units = (("d", 86_400), ("h", 3600), ("m", 60))
    return next((f"{seconds // n}{unit}" for unit, n in units if seconds % n == 0), f"{seconds}s")


def view_of_query(query: str) -> View:
    """The view that a query string says; what it leaves out has its default."""
    values = parse_qs(query.removeprefix("?"))

    def last(key: str, default: str) -> str:
        return values.get(key, [default])[-1]

    return View(
        clients=tuple(values.get("id", ())),
        metrics=tuple(values.get("metric", ())),
        start=last("from", DEFAULT_START),
        end=last("to", "now"),
        spans=tuple(values.get("span", ())),
        zone=last("tz", ""),
        options=_options({key: found[-1] for key, found in values.items()}),
    )


def _options(values: Mapping[str, object]) -> dict[str, str]:
    """Those that can be options of a page; others are passed over."""
    found = {
        name: value
        for name, value in values.items()
        if isinstance(value, str)
        and _OPTION.fullmatch(name)
        and name not in _FIELDS
        and 0 < len(value) <= _OPTION_LENGTH
    }
    return dict(sorted(found.items())[:_MOST_OPTIONS])


def check_spans(spans: Sequence[str], default: Sequence[str]) -> tuple[str, ...]:
    """The spans to show, shortest first, each once.

    Raises:
        ViewError: If one is no duration, or there are too many.
    """
    try:
        chosen = sorted({parse_duration(span): span for span in spans or default}.items())
    except TimeError as error:
        raise ViewError(str(error)) from None
    if len(chosen) > MOST_SPANS:
        raise ViewError(f"choose at most {MOST_SPANS} spans")
    return tuple(span for _, span in chosen)


def check_zone(view: View, browser_zone: str) -> tzinfo:
    """The zone that times are shown in: the view's, else the browser's.

    Raises:
        ViewError: If there is no zone of that name.
    """
    try:
        return parse_zone(view.zone or browser_zone or "UTC")
    except TimeError as error:
        raise ViewError(str(error)) from None


def view_to_json(view: View) -> dict[str, object]:
    """The view as a browser store keeps it."""
    return {
        "clients": list(view.clients),
        "metrics": list(view.metrics),
        "start": view.start,
        "end": view.end,
        "spans": list(view.spans),
        "zone": view.zone,
        "options": dict(view.options),
    }


def view_of_json(sent: object) -> View:
    """The view that a browser sent, whatever it sent: a part of another type has its default."""
    value: Mapping[str, object] = sent if isinstance(sent, dict) else {}

    def text(key: str, default: str) -> str:
        found = value.get(key)
        return found if isinstance(found, str) else default

    def texts(key: str) -> tuple[str, ...]:
        found = value.get(key)
        items = found if isinstance(found, list) else []
        return tuple(item for item in items if isinstance(item, str))

    options = value.get("options")
    return View(
        clients=texts("clients"),
        metrics=texts("metrics"),
        start=text("start", DEFAULT_START),
        end=text("end", "now"),
        spans=texts("spans"),
        zone=text("zone", ""),
        options=_options(options if isinstance(options, dict) else {}),
    )
