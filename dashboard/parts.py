"""Parts of pages: icons, links, tables, notices, status."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component
from dash_ag_grid import AgGrid

from dashboard.display import age_text, length_text, printable, span_text
from dashboard.faults import broker_fault, collector_fault, excess, history_fault, room_fault
from dashboard.people import may
from dashboard.prefix import place
from dashboard.question import Picture
from dashboard.view import View
from mosquitto.access_users import OPERATOR
from telemetry.address import readings_address
from telemetry.condition import Damage, WriterState
from telemetry.existing import ExistingBroker
from telemetry.presence import Event
from telemetry.reading import Flag
from telemetry.window import Window


def icon(name: str) -> html.I:
    """A Bootstrap icon that screen readers pass over."""
    hidden: dict[str, Any] = {"aria-hidden": "true"}  # no Python name: passed by its own
    return html.I(className=f"bi bi-{name}", **hidden)


def named(name: str) -> dict[str, Any]:
    """An accessible name, for a component that has none of its own."""
    return {"aria-label": name}


def page_link(
    page: str, view: View, clients: Sequence[str] = (), metrics: Sequence[str] = ()
) -> str:
    """The address of a page that shows these at the time of a view."""
    kept = View(tuple(clients), tuple(metrics), view.start, view.end, zone=view.zone)
    return place(f"/{page}{kept.query()}")


def since(time_us: int, newest: str = "") -> html.Span:
    """How long ago something was, or the newest that a selector finds; browsers keep it true."""
    at: dict[str, Any] = {"data-since": str(time_us // 1000)}
    at |= {"data-newest": newest} if newest else {}
    return html.Span("\u2007", **at)


def icon_button(name: str, symbol: str, title: str) -> html.Button:
    """A button that shows an icon and says its title."""
    return html.Button(
        [icon(symbol), html.Span(title, className="visually-hidden")],
        id=name,
        className="btn icon-button",
        title=title,
        n_clicks=0,
    )


def export_link(picture: Picture, zone: str) -> str:
    """Where the CSV of exactly what is shown comes from."""
    details = [("format", "csv"), *([("tz", zone)] if zone else [])]
    return place(readings_address(picture.question, details))


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


@cache  # a component costs more than the rest of a quiet tick, and there are six of these
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


def notice(picture: Picture, view: View) -> html.Div | None:
    """What to say in place of charts, if there is nothing to draw."""
    if not picture.question.client or not picture.metrics:
        name = printable(picture.question.client)
        text = "No reading of it came yet. What is above says why, as far as it can be known."
        return empty("question-circle", f"No readings of {name!r}", text)
    if not any(len(one.columns["time_us"]) for one in picture.pictures):
        newest_us = max(one.latest.time_us for one in picture.pictures)
        when = age_text(picture.question.now_us - newest_us)
        link = dcc.Link(
            "Jump to the last reading",
            href=_jump(picture, view, newest_us),
            className="btn btn-primary",
        )
        return empty("graph-down", "No readings in this window", f"The newest is {when}.", link)
    return None


def _jump(picture: Picture, view: View, newest_us: int) -> str:
    """The same view around the newest reading."""
    half_us = picture.question.window.length_us // 2
    around = Window(newest_us - half_us, newest_us + max(half_us, 1))
    kept = replace(view, clients=(picture.question.client,)).fixed(around)
    return place(f"/client{kept.query()}")


def first_run(broker: ExistingBroker | None) -> html.Div:
    """What a person meets before the first reading."""
    text = "Give a client a login, then publish as that client:"
    return let_in("Waiting for the first reading", text, broker)


def let_in(title: str, text: str, broker: ExistingBroker | None, *more: Component) -> html.Div:
    """What to say where a client is missing, and how one is let in.

    Args:
        title: What is missing.
        text: What to do with our own broker; the command follows.
        broker: The one that is used instead: clients are let in there.
        more: What else there is to say with our own broker.
    """
    if broker is not None:
        return empty("broadcast", title, elsewhere(broker))
    command = html.Pre(".venv/bin/python -m mosquitto client add my-sensor", className="command")
    link = dcc.Link("Add a client", href=place("/clients"), className="btn btn-primary")
    ways = [link, command] if may(OPERATOR) else [command]
    return empty("broadcast", title, text, *ways, *more)


def elsewhere(broker: ExistingBroker) -> str:
    """That clients are let in at an existing broker, and what makes readings of their topics."""
    return (
        f"Culex listens at the broker {broker.place}, which is not its own: clients get their "
        "logins there, and appear here with their first message. Topics that are not below "
        "clients/ need [[topics]] or families in culex.toml."
    )


def empty(symbol: str, title: str, text: str, *more: Component) -> html.Div:
    """What to say in place of something that is not there, and what to do."""
    return html.Div(
        [html.Div(icon(symbol), className="empty-icon"), html.H2(title), html.P(text), *more],
        className="empty",
    )


def client_options(picture: Picture) -> list[dict[str, object]]:
    """The dropdown's clients, newest activity first, and the one chosen if it has no reading."""
    found = {one.client: one.simulated for one in picture.clients}
    found |= {name: False for name in [picture.question.client] if name and name not in found}
    return [_client_option(client, simulated=simulated) for client, simulated in found.items()]


@lru_cache(maxsize=10_000)
def _client_option(client: str, *, simulated: bool) -> dict[str, object]:
    label = html.Span(
        [printable(client), *([html.Small("simulated")] if simulated else [])],
        className="client-option",
    )
    return {"value": client, "search": client, "label": label}


def metric_options(metrics: Sequence[str]) -> list[dict[str, str]]:
    """The metrics to choose from."""
    return [{"value": metric, "label": printable(metric)} for metric in metrics]


def time_label(start: str, end: str, ends: Sequence[str]) -> str:
    """What the time picker says it shows."""
    if end == "now" and start.startswith("now-"):
        return f"Last {span_text(start.removeprefix('now-'))}"
    same_day = ends[0][:10] == ends[1][:10]
    return f"{ends[0][:16]} – {ends[1][11 if same_day else 0 : 16]}"


def refused(reason: str, number: str) -> html.Div:
    """What to say of a question that has no answer."""
    link = html.A("Show the last 15 minutes", href="?", className="btn btn-primary")
    title = "This cannot be shown"
    return empty("exclamation-octagon", title, f"{reason}.", link, _number(number))


def unanswered(reason: str, number: str) -> html.Div:
    """What to say when the store did not answer; it is asked again with each tick."""
    again = html.A("Try again", href="", className="btn btn-primary")
    less = html.A("Show the last 15 minutes", href="?", className="btn")
    title = "The store did not answer"
    return empty("exclamation-octagon", title, f"{reason}.", again, less, _number(number))


def _number(number: str) -> html.P:
    return html.P(f"Number {number} in data/logs/dashboard.log", className="number-note")


def failed(number: str) -> html.Div:
    """What to say when a fault of the dashboard itself kept it from answering."""
    link = html.A("Try again", href="", className="btn btn-primary")
    text = f"Its log, data/logs/dashboard.log, says why: look for number {number}."
    return empty("bug", "The dashboard has a fault here", text, link)


def not_found(path: str) -> html.Div:
    """What to say of a page that does not exist."""
    link = dcc.Link("Go to the fleet", href=place("/"), className="btn btn-primary")
    return empty("signpost-split", "There is no such page", printable(path), link)


def not_for_you(title: str) -> html.Div:
    """What to say of a page to somebody whose role, or whose clients, do not reach for it."""
    link = dcc.Link("Go to the fleet", href=place("/"), className="btn btn-primary")
    text = f"The page {title} needs a higher role, or is about more clients than yours."
    return empty("shield-lock", "This page is not for your login", text, link)


def grid(name: str, columns: Sequence[Mapping[str, object]], **options: object) -> AgGrid:
    """A grid of rows that each have an `id`; which rows are drawn is its own affair.

    Args:
        name: Its identifier.
        columns: AG Grid's column definitions; no `field` has a dot.
        options: What else `AgGrid` takes; `dashGridOptions` are added to ours.
    """
    given: Mapping[str, Any] = options.pop("dashGridOptions", {})  # type: ignore[assignment]  # AG Grid's own JSON
    ours = {
        "theme": {"function": "themeQuartz.withPart(colorSchemeVariable)"},
        "enableCellTextSelection": True,
        "suppressFieldDotNotation": True,
        "headerHeight": 38,
        "rowHeight": 40,
    }
    return AgGrid(
        id=name,
        columnDefs=list(columns),
        getRowId="params.data.id",
        dashGridOptions=ours | dict(given),
        **{"columnSize": "responsiveSizeToFit", "className": "grid"} | options,
    )
