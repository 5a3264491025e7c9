"""What the Quality page answers to a tick: nothing before it is worth to look again."""

import zlib

from dash import dcc, html
from dash.development.base_component import Component

from dashboard import parts
from dashboard.display import age_text, printable
from dashboard.page import Json, Look
from dashboard.prefix import place
from dashboard.quality import names
from dashboard.quality.figures import bars, bars_patch, completeness_map, map_height_px
from dashboard.quality.hours import Columns, columns_of
from dashboard.quality.question import Seen, see
from dashboard.quality.tables import (
    CLIENT_PX,
    GROUP_PX,
    client_rows,
    damage_table,
    grid_height,
    group_rows,
)
from dashboard.quality.words import completeness_parts, equation_parts, groups_text, shown_text
from dashboard.view import View
from dashboard.wall import axis_of
from telemetry.ledger import Outcome
from telemetry.window import Window


def counted(view: View) -> str:
    """Whether a view counts messages or readings."""
    return names.READINGS_OF if view.option(names.OF) == names.READINGS_OF else names.MESSAGES_OF


def drawn_bars(view: View) -> str:
    """Whether all outcomes have bars, or all but what is stored, which is most."""
    return names.FEW_BARS if view.option(names.BARS_OF) == names.FEW_BARS else names.ALL_BARS


def answer(look: Look) -> Json:
    """What is new; nothing at all before it is worth to look again."""
    columns = columns_of(look.window, look.style.zone)
    key = _key(look, columns)
    if look.drawn.get("key") == key and look.now_us < look.drawn.get("next_us", 0):
        return {}
    seen = see(look, columns)
    if not seen.known and not seen.sums.clients and not seen.groups:
        return {"notice": parts.first_run(look.engine.settings.existing_broker)}
    found = _account(look, columns, seen) | _map(look, columns, seen) | _tables(look, seen)
    found["drawn"] |= {"key": key, "next_us": look.now_us + seen.rest_us}
    return found


def _key(look: Look, columns: Columns) -> list[object]:
    """What an answer depends on besides the store."""
    ends = (columns.edges[0], columns.edges[-1])
    return [look.view.query(), str(look.style.zone), look.style.dark, look.width, *ends]


def _account(look: Look, columns: Columns, seen: Seen) -> Json:
    what = counted(look.view)
    counts = seen.sums.columns_of(what)
    outcomes = [
        one
        for one in Outcome
        if one is not Outcome.STORED or drawn_bars(look.view) == names.ALL_BARS
    ]
    signature = [what, drawn_bars(look.view), look.style.dark, columns.days]
    content = [*columns.edges[:: len(columns)], *counts.ravel().tolist()]
    known = look.drawn.get("bars") == signature
    found: Json = {
        "equation": _nothing_arrived(look, seen) or equation_parts(seen.sums, what),
        "shown": shown_text(columns, look.window, look.style.zone, what),
        "drawn": {"bars": signature, "content": zlib.crc32(repr(content).encode())},
    }
    if not known:
        found["bars"] = bars(columns, counts, outcomes, look)
    elif look.drawn.get("content") != found["drawn"]["content"]:
        found["bars"] = bars_patch(columns, counts, outcomes, look)
    return found


def _nothing_arrived(look: Look, seen: Seen) -> list[Component]:
    """What to say if nothing arrived, with a way to where something did."""
    if seen.sums.clients:
        return []
    chosen = look.view.clients
    latest = [
        one.received_us
        for one in look.snapshot.latest()
        if one.series.client in (chosen or seen.known)
    ]
    if not latest:
        return [html.P("Nothing arrived in this time.", className="quality-equation")]
    newest_us = max(latest)
    half_us = max(look.window.length_us // 2, 1)
    around = look.view.fixed(Window(newest_us - half_us, newest_us + half_us))
    age = age_text(look.now_us - newest_us)
    text = f"Nothing arrived in this time. The newest reading arrived {age}. "
    link = dcc.Link("Jump there", href=place(f"/{names.PAGE}{around.query()}"))
    return [html.P([text, link], className="quality-equation")]


def _map(look: Look, columns: Columns, seen: Seen) -> Json:
    found = seen.completeness
    middles = [(one.start_us + one.end_us) // 2 for one in columns.windows]
    places = axis_of(columns.window, look.style.zone).places(middles)
    return {
        "map": completeness_map(columns, found, look),
        "map_height": {"height": f"{map_height_px(len(found.clients))}px"},
        "map_hidden": not found.clients,
        "map_text": completeness_parts(found, columns, look.view),
        "cells": {
            "clients": list(found.clients),
            "places": places,
            "edges": [one // 1000 for one in columns.edges],
            "zone": look.view.zone,
            "page": place("/client"),
        },
    }


def _tables(look: Look, seen: Seen) -> Json:
    messages = sum(one.messages for one in seen.groups)
    kept = sum(one.kept for one in seen.groups)
    return {
        "groups": group_rows(seen.groups, look.style.zone),
        "groups_text": groups_text(len(seen.groups), messages, kept),
        "groups_style": grid_height(len(seen.groups), GROUP_PX),
        "by_client_style": grid_height(len(seen.sums.clients), CLIENT_PX),
        "by_client": client_rows(seen, counted(look.view), look.view),
        "damage": damage_table(seen.damage),
        "known": [{"value": one, "label": printable(one)} for one in seen.known],
    }
