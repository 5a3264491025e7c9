"""The topic that a reader has chosen, in full."""

from collections.abc import Sequence

from dash import dcc, html
from dash.development.base_component import Component

from dashboard.display import printable
from dashboard.parts import icon, since
from dashboard.quality.payloads import Form, payload_text
from dashboard.topics.became import Became, became
from dashboard.topics.rows import rate_text
from dashboard.view import View
from telemetry.topic import SHOWN_BYTES, Topic


def chosen_panel(topic: Topic | None, view: View, now_us: int) -> Component:
    """All that is known of a topic, or how to choose one."""
    if topic is None:
        return html.P("Choose a topic to see its last message in full.", className="caption")
    found = became(topic, view)
    return html.Div(
        [
            html.H3(printable(topic.name) or "(empty)", className="topics-name"),
            html.P(badge(found)),
            *([html.P(found.advice, className="caption")] if found.advice else []),
            html.Dl(
                [
                    part
                    for name, value in _facts(topic, now_us)
                    for part in (html.Dt(name), html.Dd(value))
                ],
                className="topics-facts",
            ),
            html.Pre(payload_text(topic.payload, Form.AUTO), tabIndex="0"),
            *_cut(topic),
        ]
    )


def badge(found: Became) -> Component:
    """What became of a topic, as a link if there is more to see."""
    content = [icon(found.symbol), html.Span(found.text)]
    style = f"topics-badge topics-{found.mood}"
    if found.href:
        return dcc.Link(content, href=found.href, className=style)
    return html.Span(content, className=style)


def _facts(topic: Topic, now_us: int) -> Sequence[tuple[str, str | Component]]:
    retained = "kept by the broker" if topic.retained else "published just then"
    return (
        ("Client", printable(topic.client) or "none: no template names one"),
        ("Series", ", ".join(printable(one) for one in topic.metrics) or "none"),
        ("Heard", since(topic.last_us)),
        ("First heard", since(topic.first_us)),
        ("Messages", f"{topic.messages:,}, {rate_text(topic.per_minute(now_us))} in a minute"),
        ("Delivered", f"with QoS {topic.qos}, {retained}"),
        ("Size", f"{topic.size:,} bytes"),
    )


def _cut(topic: Topic) -> list[Component]:
    if topic.size <= len(topic.payload):
        return []
    return [html.P(f"The first {SHOWN_BYTES} bytes are kept.", className="caption")]
