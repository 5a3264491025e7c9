"""Elements as Dash sends them: what changes with each tick, for Dash's own take long to make.

A page of four tiles has a hundred; as Dash's components they took a third of a tick.
"""

from typing import Any

from dashboard.display import age_text

Element = dict[str, Any]  # the JSON of a component of dash.html; its shape is Dash's


def div(children: object = None, **props: object) -> Element:
    """What `html.Div` becomes.

    >>> div("text", className="tile")["props"]
    {'children': 'text', 'className': 'tile'}
    """
    return _element("Div", children, props)


def span(children: object = None, **props: object) -> Element:
    """What `html.Span` becomes."""
    return _element("Span", children, props)


def since(time_us: int, now_us: int) -> Element:
    """How long ago something was, now; the browser keeps it true."""
    return span(age_text(now_us - time_us), **{"data-since": str(time_us // 1000)})


def _element(name: str, children: object, props: dict[str, object]) -> Element:
    return {
        "props": {"children": children, **props},
        "type": name,
        "namespace": "dash_html_components",
    }
