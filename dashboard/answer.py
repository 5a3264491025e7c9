"""The answer of the client page to a tick: the new value of every output that has one."""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

from dash import html

from dashboard import figures, parts, tails
from dashboard.asking import ask, once
from dashboard.client import beside, drawing, overlay, statistic
from dashboard.page import Json, Look
from dashboard.question import Picture, Question
from dashboard.tiles import tiles
from dashboard.view import check_spans
from telemetry.rolling import MEAN
from telemetry.window import SECOND_US

_LEAST_BUCKETS, _MOST_BUCKETS = 300, 1500
_PIXELS_PER_BUCKET = 0.9
_QUIET_US = 5 * SECOND_US
"""So long the page stays as it is while nothing new arrives: five pixels of half an hour."""


def answer(look: Look) -> Json:
    """The new values of the client page's outputs, by their names there."""
    if _is_quiet(look):
        return {"drawn": look.drawn}
    shown = _shown(look)
    picture = shown.picture
    if not picture.clients and not look.view.client:
        return {"notice": parts.first_run(look.engine.settings.existing_broker)}
    notice = parts.notice(picture, look.view)
    if notice is None:
        found = _resting(shown, look) if shown.resting else _with_charts(shown, look)
    else:
        found = _without_charts(picture, notice, look)
    more, kept = beside.answer(look, picture)
    return found | more | {"drawn": found["drawn"] | kept}


def _is_quiet(look: Look) -> bool:
    """Whether the browser has it all, but for time that passed since without anything new."""
    charts = look.drawn.get("charts")
    return (
        isinstance(charts, dict)
        and look.drawn.get("sequence") == look.snapshot.sequence
        and charts.get("store") == look.snapshot.kept.store
        and look.drawn.get("asked") == _asked(look)
        and 0 <= look.now_us - look.drawn.get("answered_us", 0) < _QUIET_US
    )


class Shown(NamedTuple):
    """What is shown now.

    Attributes:
        picture: What was found.
        drawn: The same with the statistic that is wanted.
        name: That statistic.
        resting: Whether charts stay as they are.
    """

    picture: Picture
    drawn: Picture
    name: str
    resting: bool


def _shown(look: Look) -> Shown:
    """Charts rest while no pixel of them can have moved, unless other ones are to be there.

    A window of a day moves by a pixel in a minute: drawing it each second would only cost.
    """
    question, before = _question(look), look.drawn
    name = statistic.chosen(look.view.option("stat"))
    pixel_us = look.window.length_us / look.width
    if (
        before.get("bucket_us")
        and before.get("asked") == _asked(look)
        and 0 <= look.now_us - before.get("moved_us", 0) < pixel_us
    ):
        picture = ask(look.snapshot, replace(question, resting=True))
        drawn = statistic.with_statistic(look.snapshot, picture, name)
        if _signature(drawn, look) == before.get("signature"):
            return Shown(picture, drawn, name, resting=True)
    picture = ask(look.snapshot, question)
    drawn = statistic.with_statistic(look.snapshot, picture, name)
    return Shown(picture, drawn, name, resting=False)


def _asked(look: Look) -> list[object]:
    """What an answer depends on, beside the store and the clock."""
    style = look.style
    return [look.view.query(), str(style.zone), style.browsers, style.dark, style.touch, look.width]


def _question(look: Look) -> Question:
    return Question(
        client=look.view.client,
        metrics=look.view.metrics,
        window=look.window,
        spans=check_spans(look.view.spans, look.engine.settings.spans),
        now_us=look.now_us,
        max_buckets=int(min(max(look.width / _PIXELS_PER_BUCKET, _LEAST_BUCKETS), _MOST_BUCKETS)),
        rules=look.engine.settings.metric_rules,
    )


def _resting(shown: Shown, look: Look) -> Json:
    seen = {"sequence": look.snapshot.sequence, "answered_us": look.now_us}
    return _common(shown.drawn, look) | _charts_shown(shown, look) | {"drawn": look.drawn | seen}


def _with_charts(shown: Shown, look: Look) -> Json:
    picture = shown.drawn
    notes = statistic.note(picture.pictures, shown.name), _note_before(picture, look)
    drawn = _drawn(picture, look)
    caption = "".join([parts.caption(picture), *notes])
    found = _common(picture, look) | _charts_shown(shown, look)
    found |= {"drawn": drawn, "caption": caption}
    if look.drawn.get("signature") == drawn["signature"]:
        return found | _moved(picture, shown.name, look, drawn)
    height = {"height": f"{figures.height_px(picture)}px"}
    token = drawn["charts"]["token"]
    figure = drawing.figure(picture, _before(picture, look), look.style, token)
    return found | {"figure": figure, "height": height}


def _charts_shown(shown: Shown, look: Look) -> Json:
    export = parts.export_link(shown.picture, look.view.zone)
    if shown.name != MEAN and shown.picture.question.spans:
        export += f"&statistic={shown.name}"
    return {"no_charts": False, "in_place": None, "export": export}


def _note_before(picture: Picture, look: Look) -> str:
    if not _with_before(look):
        return ""
    return (
        f" Dashed is the period before: {overlay.name(picture.question.window, look.style.zone)}."
    )


def _before(picture: Picture, look: Look) -> drawing.Before:
    return overlay.before(look.snapshot, picture) if _with_before(look) else None


def _with_before(look: Look) -> bool:
    """Whether the period before is drawn; beside a rate its values would mean something else."""
    wanted = look.view.option("before")
    return bool(wanted) and statistic.chosen(look.view.option("stat")) != statistic.RATE


def _moved(picture: Picture, name: str, look: Look, drawn: Json) -> Json:
    """The figure's new data: where nothing else can have changed, ends of lines."""
    had: Json = look.drawn.get("charts", {})
    same = all(look.drawn.get(key) == drawn[key] for key in ("view", "bucket_us"))
    if not same or name != MEAN:  # all that the browser has is the traces
        had = {"token": had.get("token")}
    lacks = tails.update(picture, look.style, had, look.snapshot)
    ends = drawing.update(picture, _before(picture, look), look.style, lacks)
    return {"ends": ends | {"token": drawn["charts"]["token"]}}


def _without_charts(picture: Picture, notice: html.Div, look: Look) -> Json:
    shown = "picture" if picture.metrics else "picture waiting"
    common = _common(picture, look) | {"caption": "", "shown": shown}
    common["export"] = parts.export_link(picture, look.view.zone)
    common["drawn"] = {"view": look.view.query()}
    return common | {"no_charts": True, "in_place": notice}


def _common(picture: Picture, look: Look) -> Json:
    """What is shown with charts and without; what is there to choose only where it was asked."""
    made = partial(tiles, picture, look.style)
    found = {
        "tiles": once(look.snapshot, f"tiles {look.style}", picture, made),
        "shown": "picture",
        "chosen": {"client": picture.question.client},
    }
    if picture.asked_us < picture.question.now_us:
        return found
    return found | {
        "clients": parts.client_options(picture),
        "metrics": parts.metric_options(picture.metrics),
    }


def _signature(picture: Picture, look: Look) -> str:
    return drawing.signature(picture, look.style, with_before=_with_before(look))


def _drawn(picture: Picture, look: Look) -> Json:
    """What the browser has now; it comes back with the next tick."""
    return {
        "signature": _signature(picture, look),
        "view": look.view.query(),
        "bucket_us": max((one.answer.bucket_us for one in picture.pictures), default=0),
        "moved_us": picture.question.now_us,
        "sequence": look.snapshot.sequence,
        "answered_us": picture.question.now_us,
        "asked": _asked(look),
        "charts": tails.state_of(picture, look.snapshot),
    }
