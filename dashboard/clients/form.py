"""The form that adds a client."""

from collections.abc import Mapping

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard.clients import names
from dashboard.parts import icon
from mosquitto.access import PUBLISHER, ROLES
from mosquitto.detail import LENGTHS, MOST_TAGS

_HINTS: Mapping[str, str] = {
    names.NAME: "such as boiler-2",
    names.DESCRIPTION: "what it is, in a few words",
    names.MAC: "such as 00:1b:44:11:3a:b7",
    names.TAGS: f"at most {MOST_TAGS}, with commas between",
}


def form() -> html.Section:
    """The form, empty, with the place where a login is shown."""
    return html.Section(
        [
            html.Div(html.H2("Add a client"), className="panel-head"),
            html.Div(
                [
                    _field("Name", names.NAME, 200),
                    html.Div(id=names.FAULT, role="alert", className="clients-fault"),
                    _field("Description", names.DESCRIPTION, LENGTHS["description"]),
                    _field("Tags", names.TAGS, 400),
                    _more(),
                    html.Button(
                        [icon("person-plus"), "Add client"],
                        id=names.ADD,
                        className="btn btn-primary",
                        n_clicks=0,
                    ),
                ],
                className="clients-form",
            ),
            html.Div(id=names.SHOWN, role="status"),
        ],
        className="panel",
    )


def _more() -> html.Details:
    roles = [{"label": f"{role}: {words}", "value": role} for role, words in ROLES.items()]
    return html.Details(
        [
            html.Summary("More"),
            _field("Serial number", names.SERIAL, LENGTHS["serial_number"]),
            _field("MAC address", names.MAC, 30),
            html.Div(
                [
                    html.Label("Role", htmlFor=names.ROLE),
                    dbc.Select(id=names.ROLE, options=roles, value=PUBLISHER),
                ],
                className="field",
            ),
            dbc.Switch(
                id=names.ANY,
                label="It may choose its client identifier (for tools that make one up)",
                value=False,
            ),
        ],
        className="clients-more",
    )


def _field(title: str, name: str, longest: int) -> Component:
    control = dbc.Input(
        id=name,
        type="text",
        maxlength=longest,
        autocomplete="off",
        placeholder=_HINTS.get(name, ""),
    )
    return html.Div([html.Label(title, htmlFor=name), control], className="field")
