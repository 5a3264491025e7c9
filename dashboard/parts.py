"""The parts of the client page that change: tiles, table, notices, status."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any
from urllib.parse import urlencode

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.digits import Notation, notation_of
from dashboard.display import (
    age_text,
    clock_text,
    length_text,
    printable,
    span_text,
    value_text,
)
from dashboard.faults import broker_fault, collector_fault, excess, history_fault, room_fault
from dashboard.question import Picture
from dashboard.style import Style
from telemetry.address import readings_address
from telemetry.condition import Damage, WriterState
from telemetry.presence import Event
from telemetry.reading import Flag, Reading, flag_names
from telemetry.window import to_iso


def icon(name: str) -> html.I:
    """A Bootstrap icon that screen readers pass over."""
    hidden: dict[str, Any] = {"aria-hidden": "true"}  # no Python name: passed by its own
    return html.I(className=f"bi bi-{name}", **hidden)


def icon_button(name: str, symbol: str, title: str) -> html.Button:
    """A button that shows an icon and says its title."""
    return html.Button(
        [icon(symbol), html.Span(title, className="visually-hidden")],
        id=name,
        className="btn icon-button",
        title=title,
        n_clicks=0,
    )


def table(picture: Picture, style: Style) -> html.Div | dbc.Table:
    """The newest readings in the window, newest first."""
    notations = {one.latest.series.metric: notation_of(one) for one in picture.pictures}
    rows = [
        _table_row(reading, notations[reading.series.metric], style.zone)
        for reading in picture.table
    ]
    if not rows:
        return html.Div("No readings in this window.", className="empty-row")
    heads = ("Time", "Metric", "Value", "Unit", "Delay", "Flags")
    head = html.Thead(html.Tr([html.Th(name) for name in heads]))
    return dbc.Table([head, html.Tbody(rows)], size="sm", hover=True, className="readings")


def _table_row(reading: Reading, notation: Notation, zone: tzinfo) -> html.Tr:
    return html.Tr(
        [
            html.Td(clock_text(reading.time_us, zone)),
            html.Td(printable(reading.series.metric)),
            html.Td(value_text(reading.value, reading.kind, notation), className="number"),
            html.Td(printable(notation.unit)),
            html.Td(
                f"{reading.delay_us / 1e6:.3f} s" if reading.delay_us else "", className="number"
            ),
            html.Td(flag_names(reading.flags)),
        ]
    )


def export_link(picture: Picture, zone: str) -> str:
    """Where the CSV of exactly what is shown comes from."""
    details = [("format", "csv"), *([("tz", zone)] if zone else [])]
    return readings_address(picture.question, details)


def caption(picture: Picture) -> str:
    """In words, what the charts show and what they leave out."""
    simulated = any(one.latest.flags & int(Flag.SIMULATED) for one in picture.pictures)
    shown, known = len(picture.pictures), len(picture.metrics)
    left_out = (
        f" {shown} of {known} metrics are shown; choose others above." if shown < known else ""
    )
    return f"{'Simulated. ' if simulated else ''}{_resolution(picture)}{left_out}"


def _resolution(picture: Picture) -> str:
    widths = {one.answer.bucket_us for one in picture.pictures if one.answer.bucket_us}
    if not widths:
        return "Every reading is shown. Rolling means look back beyond the left edge."
    bucket = length_text(max(widths))
    inexact = [m.span for one in picture.pictures for m in one.means if not m.exact]
    text = f"Mean, minimum and maximum of {bucket} buckets; zoom in for single readings."
    if inexact:
        spans = ", ".join(span_text(span) for span in dict.fromkeys(inexact))
        text += f" Buckets are wider than {spans}: there the bucket's own mean is shown."
    return text


def status(writer: WriterState, now_us: int) -> list[dbc.Badge]:
    """Two facts that must not be mixed: is the collector at work, is its broker link up."""
    silent = collector_fault(writer, now_us)
    fault = broker_fault(writer, now_us)
    return [
        _badge("collector", ok=not silent, bad="stopped"),
        _badge("broker link", ok=not fault and not silent, bad=_broker_word(writer, silent)),
    ]


def _broker_word(writer: WriterState, silent: str) -> str:
    if silent:
        return "unknown"
    return "at fault" if writer.broker_up else "down"


def _badge(name: str, *, ok: bool, bad: str) -> dbc.Badge:
    return dbc.Badge(
        [
            icon("check-circle-fill" if ok else "exclamation-triangle-fill"),
            f" {name}",
            "" if ok else f" {bad}",
        ],
        className="fact ok" if ok else "fact bad",
        color="",
    )


def banner(
    writer: WriterState, damage: Sequence[Damage], limited: Event | None, now_us: int
) -> dbc.Alert | None:
    """What is broken and what to do, in front of everything; nothing if all is well."""
    fault = (
        collector_fault(writer, now_us)
        or broker_fault(writer, now_us)
        or history_fault(damage)
        or room_fault(writer, now_us)
        or excess(limited, now_us)
    )
    return alert("exclamation-triangle-fill", fault, "warning") if fault else None


def alert(symbol: str, text: str, color: str) -> dbc.Alert:
    """One sentence that needs attention."""
    return dbc.Alert([icon(symbol), html.Span(text)], color=color, className="banner")


def notice(picture: Picture) -> html.Div | None:
    """What to say in place of charts, if there is nothing to draw."""
    if not picture.clients:
        return first_run()
    if not picture.question.client or not picture.metrics:
        name = printable(picture.question.client)
        return _empty("question-circle", f"No readings of {name!r}", "Choose a client above.")
    if all(one.answer.frame.empty for one in picture.pictures):
        newest_us = max(one.latest.time_us for one in picture.pictures)
        when = age_text(picture.question.now_us - newest_us)
        link = html.A(
            "Jump to the last reading", href=_jump(picture, newest_us), className="btn btn-primary"
        )
        return _empty("graph-down", "No readings in this window", f"The newest is {when}.", link)
    return None


def _jump(picture: Picture, newest_us: int) -> str:
    half_us = picture.question.window.length_us // 2
    window = (("from", newest_us - half_us), ("to", newest_us + half_us))
    parts = [("id", picture.question.client), *((key, to_iso(time)) for key, time in window)]
    return f"/client?{urlencode(parts)}"


def first_run() -> html.Div:
    """What a person meets before the first reading."""
    return _empty(
        "broadcast",
        "Waiting for the first reading",
        "Give a client a login, then publish as that client:",
        html.Pre(".venv/bin/python -m mosquitto client add my-sensor", className="command"),
    )


def _empty(symbol: str, title: str, text: str, *more: Component) -> html.Div:
    return html.Div(
        [html.Div(icon(symbol), className="empty-icon"), html.H2(title), html.P(text), *more],
        className="empty",
    )


def client_options(picture: Picture) -> list[dict[str, object]]:
    """The dropdown's clients, newest activity first."""
    return [
        {
            "value": one.client,
            "search": one.client,
            "label": html.Span(
                [printable(one.client), *([html.Small("simulated")] if one.simulated else [])],
                className="client-option",
            ),
        }
        for one in picture.clients
    ]


def metric_options(metrics: Sequence[str]) -> list[dict[str, str]]:
    """The metrics to choose from."""
    return [{"value": metric, "label": printable(metric)} for metric in metrics]


def time_label(start: str, end: str, ends: Sequence[str]) -> str:
    """What the time picker says it shows."""
    if end == "now" and start.startswith("now-"):
        return f"Last {span_text(start.removeprefix('now-'))}"
    same_day = ends[0][:10] == ends[1][:10]
    return f"{ends[0][:16]} – {ends[1][11 if same_day else 0 : 16]}"


def window_text(picture: Picture, zone: tzinfo) -> list[str]:
    """The ends of the window, to the second."""
    window = picture.question.window
    return [clock_text(end_us, zone)[:19] for end_us in (window.start_us, window.end_us)]


def refused(reason: str) -> html.Div:
    """What to say when the question could not be answered."""
    link = html.A("Show the last 15 minutes", href="/client", className="btn btn-primary")
    return _empty("exclamation-octagon", "This cannot be shown", f"{reason}.", link)


def not_found(path: str) -> html.Div:
    """What to say of a page that does not exist."""
    link = html.A("Go to the charts", href="/client", className="btn btn-primary")
    return _empty("signpost-split", "There is no such page", printable(path), link)
