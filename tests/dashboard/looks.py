"""Looks at a real store, for pages whose answers follow on each other."""

from collections.abc import Sequence

from dashboard.engine import Engine
from dashboard.page import Json, Look, Page
from dashboard.view import View
from telemetry.settings import Settings
from telemetry.window import Window
from tests.dashboard.pictures import MINUTE_US, STYLE
from tests.telemetry.builders import NOON_US, asking

QUARTER = Window(NOON_US - 15 * MINUTE_US, NOON_US)


def look_at(settings: Settings, snapshot: object, **changes: object) -> Look:
    """A look at a quarter of an hour."""
    fields: Json = {
        "snapshot": snapshot, "engine": Engine(None, settings, lambda: NOON_US),  # type: ignore[arg-type]  # not asked
        "view": View(), "window": QUARTER, "style": STYLE, "now_us": NOON_US, "width": 1400,
        "drawn": {},
    }  # fmt: skip
    return Look(**(fields | changes))


def answers(page: Page, settings: Settings, *changes: Json) -> Sequence[Json]:
    """The answers to looks, one after the other, each remembering the one before."""
    found: list[Json] = []
    memory: Json = {}
    for change in changes:
        with asking(settings.store_path) as querier, querier.snapshot() as snapshot:
            made = page.answer(look_at(settings, snapshot, drawn=memory, **change))
        memory = made.get("drawn", memory)
        found.append(made)
    return found
