"""Shared builders: looks at a real store, and what broker and collector say in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dash.development.base_component import Component

from dashboard.engine import Engine
from dashboard.page import Json, Look
from dashboard.view import View
from telemetry.batch import Batch
from telemetry.presence import Changes, Connection, Event, EventKind
from telemetry.reading import Kind, Reading, Series
from telemetry.settings import Settings
from telemetry.store import open_appender
from telemetry.window import Window
from tests.dashboard.pictures import MINUTE_US, STYLE
from tests.telemetry.builders import NOON_US, SECOND_US, asking

OPEN = Connection("boiler-1", "boiler", "192.0.2.7:41578", "5", 60, True, NOON_US - 5 * MINUTE_US)
HOSTILE = "<img src=x onerror=alert(1)>%{x}\u202ea/b #1 <b>"


def figure(client: str, metric: str, value: float | str, ago_s: int = 3) -> Reading:
    """What broker or collector said so many seconds before noon."""
    kind = Kind.STATE if isinstance(value, str) else Kind.NUMBER
    return Reading(Series(client, metric), NOON_US - ago_s * SECOND_US, value, kind)


def figures(client: str, metric: str, values: Sequence[float]) -> list[Reading]:
    """What it said every ten seconds, last at noon."""
    ages = range(10 * (len(values) - 1), -1, -10)
    return [figure(client, metric, value, ago) for value, ago in zip(values, ages, strict=True)]


def ended(reason: str, ago_s: int = 60, **changes: object) -> Connection:
    """A connection of a minute that ended so long ago."""
    until_us = NOON_US - ago_s * SECOND_US
    gone = replace(OPEN, since_us=until_us - MINUTE_US, until_us=until_us, reason=reason)
    return replace(gone, **changes)  # type: ignore[arg-type]  # by name


def refused(detail: str, address: str = "192.0.2.9:5000", ago_s: int = 30) -> Event:
    """A refused login."""
    return Event(NOON_US - ago_s * SECOND_US, EventKind.REFUSED, "", detail, address)


def store(
    path: Path,
    readings: Sequence[Reading] = (),
    connections: Sequence[Connection] = (),
    events: Sequence[Event] = (),
    **state: int | str,
) -> Path:
    """The store at `path`, holding these besides; the collector's link is up unless told."""
    appender = open_appender(path)
    appender.append(Batch(readings, presence=Changes(connections, events)))
    since_us = NOON_US - 10 * MINUTE_US
    up: dict[str, int | str] = {"beat_us": NOON_US, "heard_us": NOON_US, "broker_up": 1}
    appender.report(up | {"broker_since_us": since_us, "broker_reason": ""} | state)
    appender.close()
    return path


@contextmanager
def looking_at(
    path: Path,
    view: View | None = None,
    drawn: Json | None = None,
    now_us: int = NOON_US,
    **changes: object,
) -> Iterator[Look]:
    """A look at the store at noon, at the fifteen minutes before; `changes` are of the look."""
    window = Window(now_us - 15 * MINUTE_US, now_us)
    with asking(path) as querier, querier.snapshot() as snapshot:
        engine = Engine(querier, Settings(data_dir=path.parent), lambda: now_us)
        look = Look(snapshot, engine, view or View(), window, STYLE, now_us, 1200, drawn or {})
        yield replace(look, **changes)  # type: ignore[arg-type]  # by name


def prop(component: object, name: str) -> Iterator[str]:
    """That property of a component and all below it, where they have it, as text."""
    if isinstance(component, Component):
        found = getattr(component, name, None)
        if found is not None:
            yield str(found)
        yield from prop(getattr(component, "children", None), name)
    elif isinstance(component, list | tuple):
        for child in component:
            yield from prop(child, name)
