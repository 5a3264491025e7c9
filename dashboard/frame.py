"""The frame: one live callback per page, which asks one snapshot and sends what has changed."""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

import orjson
import structlog
from dash import Dash, Input, Output, Patch, State, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from dashboard import ids, parts
from dashboard.display import clock_text
from dashboard.engine import Engine
from dashboard.faults import newest_limited
from dashboard.page import Json, Look, Page
from dashboard.rights import viewers
from dashboard.sight import may_see
from dashboard.style import Style
from dashboard.view import View, ViewError, check_zone, view_of_json
from telemetry.condition import WriterState
from telemetry.interface import Snapshot, StoreError, StoreMissing
from telemetry.window import Window

_LOG = structlog.get_logger(__name__)
_WIDEST = 1400

SHELL: Mapping[str, Output] = {
    "notice": Output(ids.NOTICE, "children", allow_duplicate=True),
    "body": Output(ids.BODY, "className", allow_duplicate=True),
    "status": Output(ids.STATUS, "children", allow_duplicate=True),
    "banner": Output(ids.BANNER, "children", allow_duplicate=True),
    "time_label": Output(ids.TIME_LABEL, "children", allow_duplicate=True),
    "drawn": Output(ids.DRAWN, "data", allow_duplicate=True),
    "as_of": Output(ids.AS_OF, "data", allow_duplicate=True),
    "ack": Output(ids.ACK, "data", allow_duplicate=True),
}
"""What every page's tick answers besides; shared, so each callback says that others have it too."""

_DIGEST_BYTES = 6


@dataclass(frozen=True, slots=True)
class Ask:
    """A question as the browser sends it, with what it was answered last.

    Each time a page is put there it is another visit, which has nothing yet: an answer to an
    earlier one that comes late says nothing of it.
    """

    number: int
    visit: object
    view: View
    theme: str
    zone: str
    touch: bool
    width: int
    drawn: Json


def register_page(app: Dash, engine: Engine, page: Page) -> None:
    """Connects a page to its ticks: its one live callback, and whatever else it wants."""

    @app.callback(
        output=dict(SHELL) | dict(page.outputs),
        inputs=[Input(ids.ask(page.name), "data")],
        state=[State(ids.DRAWN, "data")],
        prevent_initial_call=True,
    )
    @viewers
    def live(sent: object, drawn: object) -> Json:
        if sent is None:  # the store came with the page: nobody has asked yet
            raise PreventUpdate
        ask = ask_of_json(sent, drawn, page.name)
        nothing = dict.fromkeys([*SHELL, *page.outputs], no_update)
        new = answer(page, engine, ask)
        return nothing | {name: _packed(value) for name, value in new.items()}

    if page.register is not None:
        page.register(app, engine)


def ask_of_json(sent: object, drawn: object, page: str) -> Ask:
    """What a browser sent, whatever it sent; what it drew of another visit is not taken."""
    value = _mapping(sent)
    before = _mapping(drawn)
    width, visit = value.get("width"), value.get("visit")
    number = value.get("number")
    return Ask(
        number=number if isinstance(number, int) else 0,
        visit=visit,
        view=view_of_json(value.get("view")),
        theme=str(value.get("theme")),
        zone=str(value.get("zone") or "UTC"),
        touch=value.get("touch") is True,
        width=int(min(max(width, 1), _WIDEST)) if isinstance(width, int | float) else _WIDEST,
        drawn=before if (before.get("of"), before.get("visit")) == (page, visit) else {},
    )


def _mapping(sent: object) -> Json:
    return sent if isinstance(sent, dict) else {}


def answer(page: Page, engine: Engine, ask: Ask) -> Json:
    """The new values of the live callback's outputs, by their names there."""
    now_us = engine.clock()
    try:
        found = _found(page, engine, ask, now_us)
    except StoreMissing:  # no collector has run here yet
        found = _instead(parts.first_run(engine.settings.existing_broker), now_us) | {
            "status": parts.status(WriterState(), now_us)
        }
    except (StoreError, ViewError) as error:
        number = secrets.token_hex(3)
        _LOG.warning("page not answered", page=page.name, id=number, error=str(error))
        say = parts.refused if isinstance(error, ViewError) else parts.unanswered
        found = _instead(say(str(error), number), now_us)
    except Exception:  # noqa: BLE001  # a fault of ours: the page says so, the next tick tries again
        number = secrets.token_hex(3)
        _LOG.exception("page failed", page=page.name, id=number)
        found = _instead(parts.failed(number), now_us)
    return _changed(page, found, ask) | {"ack": ask.number}


def _instead(notice: Component, now_us: int) -> Json:
    return {"notice": notice, "as_of": {"at": now_us // 1000}, "banner": None}


def _found(page: Page, engine: Engine, ask: Ask, now_us: int) -> Json:
    zone = check_zone(ask.view, ask.zone)
    window = ask.view.window(now_us, zone)
    style = Style(
        zone=zone,
        browsers=ask.view.zone in {"", ask.zone},
        dark=ask.theme == "dark",
        touch=ask.touch,
        coverage_minimum=engine.settings.coverage_minimum,
    )
    memory = _mapping(ask.drawn.get("page"))
    if not may_see(page.role, whole=page.whole):
        return _instead(parts.not_for_you(page.title), now_us) | {"page": memory}
    with engine.querier.snapshot() as snapshot:
        look = Look(snapshot, engine, ask.view, window, style, now_us, ask.width, memory)
        found = page.answer(look)
        shell = _shell(snapshot, now_us)
    found["page"] = found.pop("drawn", memory)
    return shell | _time(ask.view, window, zone, now_us) | {"notice": None} | found


def _shell(snapshot: Snapshot, now_us: int) -> Json:
    writer = snapshot.writer()
    limited = newest_limited(snapshot, now_us)
    return {
        "status": parts.status(writer, now_us),
        "banner": parts.banner(writer, snapshot.damage(), limited, now_us),
    }


def _time(view: View, window: Window, zone: tzinfo, now_us: int) -> Json:
    wall = [clock_text(end_us, zone)[:19] for end_us in (window.start_us, window.end_us)]
    return {
        "time_label": parts.time_label(view.start, view.end, wall),
        "as_of": {
            "at": now_us // 1000,
            "start": window.start_us,
            "end": window.end_us,
            "wall": wall,
        },
    }


def _changed(page: Page, found: Json, ask: Ask) -> Json:
    """What differs from the browser's last answer, and what it is to remember of this one.

    The digests travel with the answer that they are of: one that is lost is lost with them.
    """
    kept = {name: found.pop(name, ask.drawn.get(name, {})) for name in ("page", "chosen")}
    as_of = found.pop("as_of")
    found["body"] = "body" if found.get("notice") is None else "body instead"
    before = _mapping(ask.drawn.get("digests"))
    new = {name: _digest(value) for name, value in found.items() if not isinstance(value, Patch)}
    changed = {
        name: value
        for name, value in found.items()
        if name not in new or new[name] != before.get(name)
    }
    drawn = kept | {"of": page.name, "visit": ask.visit, "digests": before | new}
    if drawn != ask.drawn:
        changed["drawn"] = drawn
    return changed | {"as_of": as_of}


def _packed(value: object) -> object:
    """The value as JSON already: Dash looks into every part of one that is not."""
    return value if isinstance(value, Patch) else orjson.Fragment(_json(value))


def _digest(value: object) -> str:
    """Equal for values that look the same in the browser."""
    return hashlib.blake2b(_json(value), digest_size=_DIGEST_BYTES).hexdigest()


def _json(value: object) -> bytes:
    options = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, default=_plain, option=options)


def _plain(value: object) -> object:
    if hasattr(value, "to_plotly_json"):
        return value.to_plotly_json()
    raise TypeError(type(value).__name__)
