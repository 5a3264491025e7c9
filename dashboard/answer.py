"""The answer of the client page to a tick: the new value of every output that has one."""

from dash import html

from dashboard import figures, parts, tails
from dashboard.client import beside, drawing, overlay, statistic
from dashboard.page import Json, Look
from dashboard.question import Picture, Question, ask
from dashboard.tiles import tiles
from dashboard.view import check_spans
from telemetry.rolling import MEAN
from telemetry.window import SECOND_US

_LEAST_BUCKETS, _MOST_BUCKETS = 300, 1500
_PIXELS_PER_BUCKET = 0.9
_REDRAWN_PER_BUCKET = 2
"""A bucket is about two pixels wide."""

_QUIET_US = 5 * SECOND_US
"""So long the page stays as it is while nothing new arrives: five pixels of half an hour."""


def answer(look: Look) -> Json:
    """The new values of the client page's outputs, by their names there."""
    if _is_quiet(look):
        return {"drawn": look.drawn}
    picture = ask(look.snapshot, _question(look))
    if not picture.clients:
        return {"notice": parts.first_run()}
    notice = parts.notice(picture, look.view)
    if notice is None:
        name = statistic.chosen(look.view.option("stat"))
        found = _with_charts(statistic.with_statistic(look.snapshot, picture, name), name, look)
    else:
        found = _without_charts(picture, notice, look)
    more, kept = beside.answer(look, picture)
    return found | more | {"drawn": found["drawn"] | kept}


def _is_quiet(look: Look) -> bool:
    """Whether the browser has it all, but for time that passed since without anything new."""
    charts = look.drawn.get("charts")
    return (
        isinstance(charts, dict)
        and charts.get("sequence") == look.snapshot.sequence
        and charts.get("store") == look.snapshot.kept.store
        and look.drawn.get("asked") == _asked(look)
        and 0 <= look.now_us - look.drawn.get("answered_us", 0) < _QUIET_US
    )


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


def _with_charts(picture: Picture, name: str, look: Look) -> Json:
    drawn = _drawn(picture, look)
    common = _common(picture, look) | {"drawn": drawn, "no_charts": False, "in_place": None}
    notes = statistic.note(picture.pictures, name), _note_before(picture, look)
    common["caption"] = "".join([common["caption"], *notes])
    if name != MEAN and picture.question.spans:
        common["export"] = f"{common['export']}&statistic={name}"
    if look.drawn.get("signature") == drawn["signature"]:
        return common | _moved(picture, name, look, drawn)
    height = {"height": f"{figures.height_px(picture)}px"}
    token = drawn["charts"]["token"]
    figure = drawing.figure(picture, _before(picture, look), look.style, token)
    return common | {"figure": figure, "height": height}


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
    """The figure's new data; nothing yet if no pixel of a long window could have moved.

    A window of a day moves by a pixel in a minute: drawing it each second would only cost.
    """
    had: Json = look.drawn.get("charts", {})
    before_us, bucket_us = look.drawn.get("moved_us", 0), drawn["bucket_us"]
    same = all(look.drawn.get(key) == drawn[key] for key in ("view", "bucket_us"))
    if same and drawn["moved_us"] - before_us < bucket_us / _REDRAWN_PER_BUCKET:
        drawn |= {"moved_us": before_us, "charts": had}
        return {}
    if not same or name != MEAN:  # all that the browser has is the traces
        had = {"token": had.get("token")}
    lacks = tails.update(picture, look.style, had, look.snapshot)
    ends = drawing.update(picture, _before(picture, look), look.style, lacks)
    return {"ends": ends | {"token": drawn["charts"]["token"]}}


def _without_charts(picture: Picture, notice: html.Div, look: Look) -> Json:
    shown = "picture" if picture.metrics else "picture waiting"
    common = _common(picture, look) | {"caption": "", "shown": shown}
    common["drawn"] = {"view": look.view.query()}
    return common | {"no_charts": True, "in_place": notice}


def _common(picture: Picture, look: Look) -> Json:
    """What is shown with charts and without."""
    return {
        "clients": parts.client_options(picture),
        "metrics": parts.metric_options(picture.metrics),
        "tiles": tiles(picture, look.style),
        "caption": parts.caption(picture),
        "export": parts.export_link(picture, look.view.zone),
        "shown": "picture",
        "chosen": {"client": picture.question.client},
    }


def _drawn(picture: Picture, look: Look) -> Json:
    """What the browser has now; it comes back with the next tick."""
    return {
        "signature": drawing.signature(picture, look.style, with_before=_with_before(look)),
        "view": look.view.query(),
        "bucket_us": max((one.answer.bucket_us for one in picture.pictures), default=0),
        "moved_us": picture.question.now_us,
        "answered_us": picture.question.now_us,
        "asked": _asked(look),
        "charts": tails.state_of(picture, look.snapshot),
    }
