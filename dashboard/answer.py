"""The answer to a tick: the new value of every output of the live callback."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from dash import Patch, html

from dashboard import figures, parts
from dashboard.question import Picture, Question, ask
from dashboard.style import Style
from dashboard.tiles import tiles
from dashboard.view import View, ViewError, check_spans, check_zone
from telemetry.clock import Clock
from telemetry.condition import WriterState
from telemetry.interface import Querier, StoreError, StoreMissing
from telemetry.settings import Settings

Json = dict[str, Any]  # what a browser sends; each value is checked where it is read

_LOG = structlog.get_logger(__name__)
_LEAST_BUCKETS, _MOST_BUCKETS = 300, 1500
_PIXELS_PER_BUCKET = 0.9
_REDRAWN_PER_BUCKET = 10


@dataclass(frozen=True, slots=True)
class Engine:
    """What callbacks need of the world."""

    querier: Querier
    settings: Settings
    clock: Clock


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser says of itself with each tick."""

    view: View
    theme: str
    browser: Mapping[str, Any]
    drawn: Mapping[str, Any]

    @property
    def browser_zone(self) -> str:
        """The IANA name of the browser's zone."""
        return str(self.browser.get("zone") or "UTC")


def answer(engine: Engine, page: Page) -> Json:
    """The new values of the live callback's outputs, by their names there."""
    now_us = engine.clock()
    try:
        style, question = _question(engine, page, now_us)
        picture = ask(engine.querier, question)
    except StoreMissing:  # no collector has run here yet
        return _nothing(parts.first_run(), WriterState(), now_us)
    except (StoreError, ViewError) as error:
        _LOG.warning("page not answered", error=str(error))
        return _nothing(parts.refused(str(error)), None, now_us)
    notice = parts.notice(picture)
    if notice is not None:
        return _without_charts(picture, notice, page, style)
    return _with_charts(picture, page, style)


def _question(engine: Engine, page: Page, now_us: int) -> tuple[Style, Question]:
    zone = check_zone(page.view, page.browser_zone)
    style = Style(
        zone=zone,
        browsers=page.view.zone in {"", page.browser_zone},
        dark=page.theme == "dark",
        touch=page.browser.get("touch") is True,
        coverage_minimum=engine.settings.coverage_minimum,
    )
    question = Question(
        client=page.view.client,
        metrics=page.view.metrics,
        window=page.view.window(now_us, zone),
        spans=check_spans(page.view.spans, engine.settings.spans),
        now_us=now_us,
        max_buckets=_max_buckets(page.browser.get("width")),
    )
    return style, question


def _max_buckets(width: object) -> int:
    pixels = width if isinstance(width, int | float) else _MOST_BUCKETS
    return int(min(max(pixels / _PIXELS_PER_BUCKET, _LEAST_BUCKETS), _MOST_BUCKETS))


def _with_charts(picture: Picture, page: Page, style: Style) -> Json:
    signature = figures.signature(picture, style)
    common = _common(picture, page, style) | {"no_charts": False, "notice": None}
    common["drawn"]["signature"] = signature
    if page.drawn.get("signature") == signature:
        return common | _moved(picture, page, style, common["drawn"])
    height = {"height": f"{figures.height_px(picture)}px"}
    return common | {"figure": figures.figure(picture, style), "height": height}


def _moved(picture: Picture, page: Page, style: Style, drawn: Json) -> Json:
    """The figure's new data; nothing yet if no pixel of a long window could have moved.

    A window of a day moves by a pixel in a minute: drawing it each second would only cost.
    """
    before_us, bucket_us = page.drawn.get("moved_us", 0), drawn["bucket_us"]
    same = all(page.drawn.get(key) == drawn[key] for key in ("view", "bucket_us"))
    if same and drawn["moved_us"] - before_us < bucket_us / _REDRAWN_PER_BUCKET:
        drawn["moved_us"] = before_us
        return {}
    return {"figure": _patch(picture, style)}


def _without_charts(picture: Picture, notice: html.Div, page: Page, style: Style) -> Json:
    shown = "picture" if picture.metrics else "picture waiting"
    common = _common(picture, page, style) | {"caption": "", "shown": shown}
    return common | {"no_charts": True, "notice": notice}


def _common(picture: Picture, page: Page, style: Style) -> Json:
    """What is shown with charts and without."""
    now_us = picture.question.now_us
    drawn = _drawn(picture, page, style)
    options: Json = {}
    if page.drawn.get("clients") != drawn["clients"]:
        options["clients"] = parts.client_options(picture)
    if page.drawn.get("metrics") != drawn["metrics"]:
        options["metrics"] = parts.metric_options(picture.metrics)
    return options | {
        "tiles": tiles(picture, style),
        "table": parts.table(picture, style),
        "caption": parts.caption(picture),
        "export": parts.export_link(picture, page.view.zone),
        "time_label": parts.time_label(page.view.start, page.view.end, drawn["wall"]),
        "drawn": drawn,
        "shown": "picture",
        "status": parts.status(picture.writer, now_us),
        "banner": parts.banner(picture.writer, picture.damage, picture.limited, now_us),
        "as_of": now_us // 1000,
    }


def _drawn(picture: Picture, page: Page, style: Style) -> Json:
    """What the browser has now; it comes back with the next tick."""
    window = picture.question.window
    return {
        "client": picture.question.client,
        "start": window.start_us,
        "end": window.end_us,
        "wall": parts.window_text(picture, style.zone),
        "view": page.view.query(),
        "bucket_us": max((one.answer.bucket_us for one in picture.pictures), default=0),
        "moved_us": picture.question.now_us,
        "clients": [[one.client, one.simulated] for one in picture.clients],
        "metrics": list(picture.metrics),
    }


def _nothing(notice: html.Div, writer: WriterState | None, now_us: int) -> Json:
    facts = [] if writer is None else parts.status(writer, now_us)
    return {
        "no_charts": True,
        "notice": notice,
        "drawn": {},
        "shown": "picture waiting",
        "status": facts,
        "banner": None,
        "as_of": now_us // 1000,
    }


def _patch(picture: Picture, style: Style) -> Patch:
    """The figure's new arrays and time axis; legend and everything else stay."""
    patch = Patch()
    for number, arrays in figures.patched_data(picture, style):
        for name, values in arrays.items():
            patch["data"][number][name] = values
    for name, values in figures.moving(picture, style).items():
        patch["layout"][name] = values
    return patch
