"""A page of the dashboard, and one look at the store for it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dash import Dash, Output
from dash.development.base_component import Component

from dashboard.engine import Engine
from dashboard.style import Style
from dashboard.view import View
from mosquitto.access_users import VIEWER
from telemetry.interface import Snapshot
from telemetry.window import Window

Json = dict[str, Any]  # what goes to a browser or comes from it; what comes is checked where read


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the store: everything a page shows of it belongs together.

    Attributes:
        snapshot: The store at one moment.
        engine: What else there is to ask.
        view: What the reader wants to see.
        window: From when to when, now.
        style: How the reader wants it.
        now_us: The present, in microseconds since 1970 UTC.
        width: How wide charts are, in pixels.
        drawn: What the page answered as `drawn` to the look before; empty at first.
    """

    snapshot: Snapshot
    engine: Engine
    view: View
    window: Window
    style: Style
    now_us: int
    width: int
    drawn: Json


@dataclass(frozen=True, slots=True)
class Page:
    """A page: what it is called, how it begins, and what it answers to each tick.

    Attributes:
        name: Its path without the slash, and the beginning of its identifiers.
        title: What navigation and window call it.
        symbol: Its Bootstrap icon.
        outputs: What a tick answers, by names of the page's own.
        layout: The page for a view before any data.
        answer: The new values of outputs, by those names; one that is left out stays as it is.
            Besides: `notice` takes the place of the page, `drawn` comes back with the next look,
            and `chosen` is what stands in controls whose part of the view is empty.
        register: Connects further callbacks.
        timed: Whether it shows what happened over a time.
        whole: Whether it shows what belongs to all clients, so that who may see some may not.
        role: The least role that may see it.
    """

    name: str
    title: str
    symbol: str
    outputs: Mapping[str, Output]
    layout: Callable[[View, Engine], Component]
    answer: Callable[[Look], Json]
    register: Callable[[Dash, Engine], None] | None = None
    timed: bool = True
    whole: bool = False
    role: str = VIEWER
