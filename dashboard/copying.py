"""Buttons that copy a text of the page (assets/copy.js)."""

from typing import Any

from dash import html
from dash.development.base_component import Component

from dashboard.parts import icon


def copy_button(of: str, title: str = "Copy") -> list[Component]:
    """A button that copies the text of a component, and the place where it says so.

    Args:
        of: The identifier of the component.
        title: What the button is called.
    """
    told = f"{of}-copied"
    copies: dict[str, Any] = {"data-copy-of": of, "data-copy-told": told}
    button = html.Button(
        [icon("copy"), html.Span(title)], type="button", className="btn copy", **copies
    )
    return [button, html.Span(id=told, role="status", className="copied")]
