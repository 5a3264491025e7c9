"""Publishing a test message from the page: for operators, through the real broker."""

import dash_bootstrap_components as dbc
import structlog
from dash import Dash, Input, Output, State, html
from dash.development.base_component import Component
from flask_login import current_user  # type: ignore[import-not-found,unused-ignore]  # has no types

from dashboard.display import printable
from dashboard.engine import Engine
from dashboard.parts import icon
from dashboard.people import may
from dashboard.rights import operators_of_all
from dashboard.topics import names
from mosquitto.access_users import OPERATOR
from mosquitto.names import TRIAL
from mosquitto.trial import Taken, Trial, publish
from telemetry.existing import ExistingBroker
from telemetry.fault import Fault

_LOG = structlog.get_logger(__name__)
_LONGEST = 10_000


def form(broker: ExistingBroker | None) -> Component:
    """The form, for those who may use it; nothing for others.

    With an existing broker there is none: test messages go out under a login that is made for
    them, and only our own broker lets us make one.
    """
    if not may(OPERATOR):
        return html.Div()
    if broker is not None:
        text = (
            "Test messages are for Culex's own broker. This Culex listens at the broker "
            f"{broker.place}: publish there, and what comes of it stands here."
        )
        return html.P(text, className="caption")
    return html.Details(
        [
            html.Summary([icon("send"), "Publish a test message"]),
            html.Div(
                [
                    _field("Topic", names.TOPIC, _topic_input()),
                    _field(
                        "Payload",
                        names.PAYLOAD,
                        dbc.Textarea(
                            id=names.PAYLOAD, rows=3, maxlength=_LONGEST, placeholder="21.5"
                        ),
                    ),
                    html.Div([_qos(), _retain(), _button()], className="topics-how"),
                    html.P(
                        "It is a real message: whoever subscribes to its topic gets it. What is "
                        f"stored of it is marked as simulated. The broker's log has it as {TRIAL}.",
                        className="caption",
                    ),
                    html.Div(id=names.SENT, role="status"),
                ],
                className="topics-form",
            ),
        ],
        className="topics-publish panel",
    )


def _field(title: str, name: str, control: Component) -> html.Div:
    return html.Div([html.Label(title, htmlFor=name), control], className="field")


def _topic_input() -> dbc.Input:
    return dbc.Input(
        id=names.TOPIC,
        type="text",
        autocomplete="off",
        placeholder="clients/probe/temperature",
    )


def _qos() -> html.Div:
    options = [{"label": str(one), "value": str(one)} for one in (0, 1, 2)]
    return _field("QoS", names.QOS, dbc.Select(id=names.QOS, options=options, value="1"))


def _retain() -> dbc.Switch:
    return dbc.Switch(id=names.RETAIN, label="Retain: the broker keeps it", value=False)


def _button() -> html.Button:
    return html.Button(
        [icon("send"), "Publish"], id=names.SEND, className="btn btn-primary", n_clicks=0
    )


def register_publishing(app: Dash, engine: Engine) -> None:
    """Connects the form's button."""

    @app.callback(
        Output(names.SENT, "children"),
        Input(names.SEND, "n_clicks"),
        State(names.TOPIC, "value"),
        State(names.PAYLOAD, "value"),
        State(names.QOS, "value"),
        State(names.RETAIN, "value"),
        running=[(Output(names.SEND, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    @operators_of_all
    def send(_clicks: int, topic: object, payload: object, qos: object, retain: object) -> object:
        return sent(engine, topic, payload, qos, retain)


def sent(engine: Engine, topic: object, payload: object, qos: object, retain: object) -> Component:
    """Publishes what the form says; what became of it, in a sentence."""
    try:
        trial = Trial(
            str(topic or "").strip(),
            str(payload or "").encode("utf-8", "replace"),
            int(qos) if isinstance(qos, str) and qos.isdecimal() else 1,
            retain is True,
        )
        engine.note("test message asked for", trial.topic, **_facts(trial))
        taken = publish(engine.settings, trial)
    except Fault as fault:
        return _said(f"Not published: {fault}.", good=False)
    _LOG.info(
        "test message published",
        user=str(getattr(current_user, "name", "")),
        topic=repr(trial.topic[:200]),
        bytes=len(trial.payload),
        qos=trial.qos,
        retain=trial.retain,
    )
    return _said(*_outcome(trial, taken))


def _facts(trial: Trial) -> dict[str, str]:
    """What the audit log has of it beside the topic; not what is in it."""
    kept = {"retain": "yes"} if trial.retain else {}
    return {"qos": str(trial.qos), "bytes": str(len(trial.payload)), **kept}


def _outcome(trial: Trial, taken: Taken) -> tuple[str, bool]:
    topic = printable(trial.topic)
    if taken is Taken.BY_NOBODY:
        return (
            f"The broker took it, but nobody subscribes to {topic}, not even the collector. "
            "Add a topic template to culex.toml and restart, or choose another topic.",
            False,
        )
    if trial.retain and not trial.payload:
        return f"Published: what the broker kept of {topic} is deleted.", True
    kept = " and keeps it" if trial.retain else ""
    return f"Published to {topic} with QoS {trial.qos}: the broker took it{kept}.", True


def _said(text: str, good: bool) -> html.P:  # as `_outcome` gives it
    symbol = "check-circle-fill" if good else "exclamation-triangle-fill"
    style = f"topics-said topics-{'good' if good else 'bad'}"
    return html.P([icon(symbol), html.Span(text)], className=style)
