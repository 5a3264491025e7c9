"""Shared builders: questions, styles, and pictures of a real store."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import Any

import numpy as np
from dash import html
from dash.development.base_component import Component
from numpy.typing import NDArray

from dashboard.asking import ask
from dashboard.question import Picture, Question
from dashboard.style import Style
from telemetry.batch import Batch
from telemetry.presence import Changes, Event, EventKind
from telemetry.reading import Kind, Reading, Series
from telemetry.store import open_appender
from telemetry.window import Window
from tests.telemetry.builders import NOON_US, SECOND_US, asking, reading

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
HOSTILE = "<img src=x onerror=alert(1)>%{x}\u202ea/b #1 <b>"

STYLE = Style(zone=UTC, browsers=True, dark=False, touch=False, coverage_minimum=0.6)

QUESTION = Question(
    client="boiler",
    metrics=(),
    window=Window(NOON_US - 15 * MINUTE_US, NOON_US),
    spans=("1m", "5m", "30m"),
    now_us=NOON_US,
    max_buckets=400,
)


def every(step_us: int, count: int, metric: str = "temperature", **rest: object) -> list[Reading]:
    """So many readings of a metric that grow by one, the newest at noon."""
    series = Series("boiler", metric)
    first_us = NOON_US - (count - 1) * step_us
    return [reading(first_us + n * step_us, float(n), series=series, **rest) for n in range(count)]


def states(pairs: Iterable[tuple[int, str]], metric: str = "mode") -> list[Reading]:
    """The states of a metric, at times relative to noon."""
    series = Series("boiler", metric)
    return [reading(NOON_US + offset_us, text, series=series) for offset_us, text in pairs]


def switch(step_us: int, count: int, metric: str = "valve") -> list[Reading]:
    """A boolean that is on and off by turns, the newest at noon."""
    flips = every(step_us, count, metric, kind=Kind.BOOLEAN)
    return [one._replace(value=one.value % 2) for one in flips]  # type: ignore[operator]  # floats


def happen(path: Path, *events: Event) -> Path:
    """The store at `path`, where these happened besides."""
    appender = open_appender(path)
    appender.append(Batch(presence=Changes(events=events)))
    appender.close()
    return path


def lost(*offsets_us: int) -> list[Event]:
    """Sessions lost, at times relative to noon."""
    return [Event(NOON_US + offset_us, EventKind.SESSION_LOST) for offset_us in offsets_us]


def picture(path: Path, **changes: object) -> Picture:
    """What the store answers to QUESTION with these changes."""
    with asking(path) as querier, querier.snapshot() as snapshot:
        return ask(snapshot, replace(QUESTION, **changes))  # type: ignore[arg-type]  # by name


def unpacked(packed: object) -> NDArray[np.float64]:
    """The numbers of an array as plotly.js gets it."""
    assert isinstance(packed, dict), packed
    assert packed["dtype"] == "f8"
    return np.frombuffer(base64.b64decode(packed["bdata"]), "<f8")


def revived(sent: Any) -> Any:  # JSON and what it becomes
    """The components that elements of `dashboard.plain` become."""
    if isinstance(sent, list):
        return [revived(one) for one in sent]
    if not isinstance(sent, dict) or "namespace" not in sent:
        return sent
    props = {name: revived(value) for name, value in sent["props"].items()}
    return getattr(html, sent["type"])(**props)


def texts(component: object) -> Iterator[str]:
    """Every text in a component and below it, in order."""
    if isinstance(component, str):
        yield component
    elif isinstance(component, dict):
        yield from texts(component["props"]["children"])
    elif isinstance(component, Component):
        yield from texts(getattr(component, "children", None))
    elif isinstance(component, Sequence):
        for child in component:
            yield from texts(child)
