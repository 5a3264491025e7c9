"""Controls with their names."""

import json
from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from dashboard import parts


def field(label: str, control: Component) -> html.Div:
    """A control that has no name of its own, as a group with one."""
    return html.Div(
        [html.Span(label, className="label"), control],
        className="field",
        role="group",
        **parts.named(label),
    )


def select(
    label: str, name: dict[str, object], value: str, options: Sequence[dict[str, str]]
) -> html.Div:
    """A list to choose one of, with its name.

    Args:
        label: Its name.
        name: Its identifier, by which it writes into the view.
        value: What is chosen.
        options: With `label` and `value` each.
    """
    written = json.dumps(name, separators=(",", ":"), sort_keys=True)  # as Dash writes it
    chosen = dbc.Select(id=name, value=value, options=list(options))
    return html.Div([html.Label(label, htmlFor=written), chosen], className="field")
