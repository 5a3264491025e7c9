"""The Topics page: its parts before any data, and what it answers to a tick."""

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from dashboard import ids, parts
from dashboard.display import printable
from dashboard.engine import Engine
from dashboard.page import Json, Look, Page
from dashboard.rights import viewers_of_all
from dashboard.topics import names
from dashboard.topics.chosen import chosen_panel
from dashboard.topics.publishing import form, register_publishing
from dashboard.topics.rows import COLUMNS, rows_of, topics_text
from dashboard.topics.tree import MARK, Node, drawn, grown
from dashboard.view import View
from telemetry.existing import ExistingBroker
from telemetry.topic import TOPICS_KEPT, Topic

OUTPUTS = {
    "rows": Output(names.GRID, "rowData"),
    "counts": Output(names.COUNTS, "children"),
    "newest": Output(names.NEWEST, "children"),
    "whole": Output(names.WHOLE, "children"),
}
"""What one tick answers; what an answer leaves out stays as it is."""

_REST_US = 10_000
"""For each row: a tree that fills the page is drawn anew less often than once a second."""

_MOST_MARKS = 200 // MARK


def layout(view: View, engine: Engine) -> html.Div:
    """The page for a view before any data; ticks fill it."""
    return html.Div(
        [
            _head(view),
            html.Div([_tree(), _last()], className="topics-both"),
            form(engine.settings.existing_broker),
            dcc.Store(id=names.USED),
            *(_hidden(view, name) for name in (names.OPEN, names.SHUT, names.SHOW)),
        ],
        className="topics",
    )


def _head(view: View) -> html.Div:
    search = [html.Label("Search topics", htmlFor=_search_id()), _search(view)]
    words = [html.P(id=names.COUNTS), html.P(id=names.NEWEST)]
    return html.Div(
        [
            html.Div(search, className="field topics-search"),
            html.Div(words, className="topics-words"),
        ],
        className="topics-head",
    )


def _tree() -> html.Section:
    grid = parts.grid(
        names.GRID,
        COLUMNS,
        className="grid topics-grid",
        style={"height": "max(420px, calc(100vh - 330px))"},
    )
    box = html.Div(grid, className="table-box")
    return html.Section(box, className="panel", **parts.named("Tree of topics"))


def _last() -> html.Section:
    return html.Section(
        [
            html.Div(html.H2("Last message"), className="panel-head"),
            html.Div(id=names.WHOLE, className="topics-in"),
        ],
        className="panel",
        **parts.named("Last message"),
    )


def _search_id() -> str:
    """What Dash makes of an identifier that is a mapping, for the label."""
    return f'{{"option":"{names.SEARCH}"}}'


def _search(view: View) -> dbc.Input:
    return dbc.Input(
        id=ids.option(names.SEARCH),
        type="search",
        value=view.option(names.SEARCH),
        debounce=0.3,
        maxlength=200,
        placeholder="a part of a topic",
    )


def _hidden(view: View, name: str) -> dbc.Input:
    """What a reader chose in the tree, so that the address has it."""
    return dbc.Input(id=ids.option(name), type="hidden", value=view.option(name))


def answer(look: Look) -> Json:
    """What is new; nothing at all before it is worth to look again."""
    known = look.snapshot.topic_names()
    if not known:
        return {"notice": nothing_heard(look.engine.settings.existing_broker)}
    key = [look.view.query(), len(known)]
    if look.drawn.get("key") == key and look.now_us < look.drawn.get("next_us", 0):
        return {}
    view = look.view
    nodes = drawn(
        grown(tuple(known), view.option(names.SEARCH)),
        marks(view.option(names.OPEN)),
        marks(view.option(names.SHUT)),
    )
    wanted = [node.path for node in nodes if node.is_topic]
    topics = {one.name: one for one in look.snapshot.topics(wanted)}
    shown = view.option(names.SHOW)
    chosen = next((topics.get(one.path) for one in nodes if one.id == shown), None)
    return {
        "rows": rows_of(nodes, topics, view, look.now_us),
        "counts": counts_text(len(known), nodes, view.option(names.SEARCH)),
        "newest": newest_text(look.snapshot.topics(known[-1:])),
        "whole": chosen_panel(chosen, view, look.now_us),
        "drawn": {"key": key, "next_us": look.now_us + len(nodes) * _REST_US},
    }


def marks(text: str) -> tuple[str, ...]:
    """The marks in an option: so many characters each."""
    return tuple(text[place : place + MARK] for place in range(0, len(text), MARK))


def nothing_heard(broker: ExistingBroker | None) -> Component:
    """What a person meets before the first message."""
    text = (
        "Every topic that the collector hears appears here by itself. Give a client a login, or "
        "add the topics of your fleet to culex.toml:"
    )
    return parts.let_in("No message yet", text, broker)


def counts_text(known: int, nodes: list[Node], search: str) -> str:
    """How many topics there are, and how many are in sight."""
    found = sum(one.topics for one in nodes if one.depth == 0)
    left_out = any(one.left_out for one in nodes if one.depth == 0)
    if search:
        least = "at least " if left_out else ""
        return f"{least}{topics_text(found)} of {known:,} with “{printable(search)}”"
    full = " or more; those heard longest ago are let go" if known >= TOPICS_KEPT - 1000 else ""
    return f"{topics_text(known)}{full}"


def newest_text(newest: Sequence[Topic]) -> list[Component | str]:
    """The topic that was first heard last, and when."""
    return [
        part
        for one in newest
        for part in (
            "Newest topic: ",
            html.B(printable(one.name)),
            ", first heard ",
            parts.since(one.first_us),
        )
    ]


def register(app: Dash, engine: Engine) -> None:
    """Connects the tree's buttons and the form."""
    register_publishing(app, engine)

    @app.callback(
        *(Output(ids.option(name), "value") for name in (names.OPEN, names.SHUT, names.SHOW)),
        Input(names.USED, "data"),
        *(State(ids.option(name), "value") for name in (names.OPEN, names.SHUT, names.SHOW)),
        prevent_initial_call=True,
    )
    @viewers_of_all
    def used(sent: object, opened: object, shut: object, show: object) -> tuple[str, str, str]:
        return turned(sent, str(opened or ""), str(shut or ""), str(show or ""))


def turned(sent: object, opened: str, shut: str, show: str) -> tuple[str, str, str]:
    """What is open, closed and shown after a button of the tree was used.

    Args:
        sent: What the tree says of it: which row, what it does, and whether it is open now.
        opened: The marks of branches that are opened.
        shut: The marks of those that are closed.
        show: The row whose topic is shown.
    """
    row = sent.get("row") if isinstance(sent, dict) else None
    if not isinstance(sent, dict) or not isinstance(row, str):
        return opened, shut, show
    if sent.get("act") == "show":
        return opened, shut, "" if show == row else row
    mark = row[:MARK]
    opened, shut = _without(opened, mark), _without(shut, mark)
    if sent.get("open") is True:
        return opened, _with(shut, mark), show
    return _with(opened, mark), shut, show


def _without(text: str, mark: str) -> str:
    return "".join(one for one in marks(text) if one != mark)


def _with(text: str, mark: str) -> str:
    """With it as the newest; the oldest goes where an option has no room."""
    return "".join([*marks(text), mark][-_MOST_MARKS:])


PAGE = Page(
    name=names.PAGE,
    title="Topics",
    symbol="diagram-3",
    outputs=OUTPUTS,
    layout=layout,
    answer=answer,
    register=register,
    timed=False,
    whole=True,
)
