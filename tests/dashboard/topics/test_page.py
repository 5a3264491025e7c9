"""The Topics page: what it answers, what it says of a topic, and who may publish."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from dash.development.base_component import Component
from flask import Flask

from dashboard.app import create_app
from dashboard.engine import Engine
from dashboard.page import Json, Look
from dashboard.style import Style
from dashboard.topics import publishing
from dashboard.topics.became import became
from dashboard.topics.page import PAGE, counts_text, marks, turned
from dashboard.topics.publishing import form, sent
from dashboard.topics.rows import payload_line
from dashboard.topics.tree import MARK, drawn, grown, id_of
from dashboard.view import View
from mosquitto.access_audit import audit_log
from mosquitto.access_users import OPERATOR, VIEWER
from mosquitto.trial import Taken, Trial
from telemetry.batch import Arrival, Batch
from telemetry.ledger import Account, Outcome
from telemetry.reading import Flag
from telemetry.settings import Settings
from telemetry.store import open_appender, querier_of
from telemetry.topic import Heard, Topic
from telemetry.window import Window, parse_zone
from tests.dashboard.test_app import run
from tests.dashboard.test_app import sent as body_of
from tests.dashboard.visits import log_in
from tests.telemetry.builders import NOON_US, SECOND_US

HOSTILE = 'a/b #1 <b>"'


def texts(part: object) -> str:
    """All that a component says."""
    if isinstance(part, Component):
        return texts(getattr(part, "children", ""))
    if isinstance(part, list | tuple):
        return " ".join(map(texts, part))
    return str(part) if part is not None else ""


def topic(payload: bytes = b"1", **rest: object) -> Topic:
    """A topic of client `a` whose last message made a reading."""
    facts: dict[str, object] = {
        "name": "clients/a/m", "client": "a", "metrics": ("m",), "outcome": Outcome.STORED,
        "reason": "", "size": len(payload), "qos": 1, "flags": 0, "first_us": 0, "last_us": 0,
        "messages": 1, "minute_us": 0, "minute_messages": 1, "minute_before": 0,
        "payload": payload,
    }  # fmt: skip
    return Topic(**(facts | rest))  # type: ignore[arg-type]  # by name


def heard(name: str, **rest: object) -> Heard:
    """A message on that topic, a minute before noon."""
    at_us = NOON_US - 60 * SECOND_US
    facts: dict[str, object] = {
        "topic": name, "client": "a", "metrics": ("m",), "messages": 1, "first_us": at_us,
        "last_us": at_us, "arrival": 0, "reason": "", "payload": b"1", "size": 1, "qos": 1,
        "flags": 0,
    }  # fmt: skip
    return Heard(**(facts | rest))  # type: ignore[arg-type]  # by name


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    """The store with topics of three kinds, at noon."""
    arrivals = [
        Arrival(Account("", 0), outcome=Outcome.STORED),
        Arrival(Account("", 0), outcome=Outcome.QUARANTINED),
    ]
    refused = heard(
        f"stray/{HOSTILE}", client="", metrics=(), arrival=1, reason="unmapped", payload=b"\xff{"
    )
    late = heard("clients/a/new", first_us=NOON_US - SECOND_US, last_us=NOON_US - SECOND_US)
    with closing(open_appender(settings.store_path)) as appender:
        appender.append(Batch(arrivals=arrivals, topics=[heard("clients/a/m"), refused, late]))
    querier = querier_of(settings)
    yield Engine(querier, settings, lambda: NOON_US)
    querier.close()


def answered(engine: Engine, view: View | None = None, drawn: Json | None = None) -> Json:
    """What the page answers at noon."""
    style = Style(
        zone=parse_zone("UTC"), browsers=True, dark=False, touch=False, coverage_minimum=0.6
    )
    with engine.querier.snapshot() as snapshot:
        window = Window(NOON_US - 60 * SECOND_US, NOON_US)
        return PAGE.answer(
            Look(snapshot, engine, view or View(), window, style, NOON_US, 1400, drawn or {})
        )


def test_page_shows_each_topic_and_what_became_of_it(engine: Engine) -> None:
    """A series, a reason, a mark on what is new; markup and bytes are text."""
    found = answered(engine)
    rows = {row["level"]: row for row in found["rows"]}
    assert rows["m"]["became"] == "m"
    assert rows["m"]["href"] == "/client?id=a"
    assert "new" not in rows["m"]
    assert rows["new"]["new"] is True
    refused = rows['b #1 <b>"']
    assert refused["became"] == "No topic template fits the topic"
    assert (refused["mood"], refused["href"]) == ("bad", "/quality?reason=unmapped")
    assert refused["payload"] == "ff 7b"
    assert found["counts"] == "3 topics"
    assert "Newest topic:  clients/a/new , first heard " in texts(found["newest"])
    assert len({row["id"] for row in found["rows"]}) == len(found["rows"])
    json.dumps(found["rows"])


def test_page_before_the_first_message_says_what_to_do(settings: Settings) -> None:
    """An empty store has no tree, and a way to one."""
    open_appender(settings.store_path).close()
    found = answered(Engine(querier_of(settings), settings, lambda: NOON_US))
    assert "No message yet" in texts(found["notice"])


def test_page_shows_the_chosen_topic_in_full(engine: Engine) -> None:
    """Its payload, why it is no reading, and what to do; none if it is not in sight."""
    name = f"stray/{HOSTILE}"
    whole = texts(answered(engine, View(options={"show": id_of(name)}))["whole"])
    for part in (name, "ff 7b", "add a template to culex.toml", "none: no template names one"):
        assert part in whole
    hidden = View(options={"show": id_of(name), "search": "clients"})
    assert "Choose a topic" in texts(answered(engine, hidden)["whole"])


def test_page_rests_between_looks_unless_the_view_changes(engine: Engine) -> None:
    """A tree that fills the page is not sent each second."""
    before = answered(engine)["drawn"]
    assert answered(engine, drawn=before) == {}
    assert answered(engine, View(options={"search": "stray"}), before)["rows"]
    later = before | {"next_us": NOON_US}
    assert answered(engine, drawn=later)["rows"]


def test_search_counts_what_it_found(engine: Engine) -> None:
    """Of how many, and with the text as it was written."""
    found = answered(engine, View(options={"search": "CLIENTS"}))
    assert found["counts"] == "2 topics of 3 with “CLIENTS”"
    nodes = drawn(grown(("a",), ""), (), ())
    assert "let go" in counts_text(20_000, nodes, "")


@pytest.mark.parametrize(
    ("given", "text", "mood"),
    [
        (topic(), "m", "good"),
        (topic(metrics=tuple("abcde")), "a, b, c and 2 more", "good"),
        (topic(outcome=Outcome.DUPLICATE), "m: known before", "none"),
        (topic(metrics=()), "no reading in it", "none"),
        (
            topic(outcome=Outcome.RETAINED, reason="retained", flags=Flag.RETAINED),
            "m: kept by the broker",
            "none",
        ),
        (topic(outcome=Outcome.LIMITED, reason="too-many-messages"), "too many messages", "bad"),
        (
            topic(outcome=Outcome.LIMITED, reason="too-many-series"),
            "The client has as many metrics as it may",
            "bad",
        ),
        (topic(reason="decimal-comma"), "m; not all: a number has a decimal comma", "bad"),
        (
            topic(outcome=Outcome.QUARANTINED, reason="malformed-json"),
            "It is not valid JSON",
            "bad",
        ),
        (
            topic(outcome=Outcome.HELD, reason="future"),
            "It says that it was measured in the future",
            "bad",
        ),
    ],
)
def test_topic_says_what_became_of_it(given: Topic, text: str, mood: str) -> None:
    """In a few words; with the way to more where there is any."""
    found = became(given, View())
    assert (found.text, found.mood) == (text, mood)
    assert bool(found.href) == (text != "no reading in it")


@pytest.mark.parametrize(
    ("payload", "size", "line"),
    [
        (b"", 0, "(empty)"),
        (b"21.5", 4, "21.5"),
        (b'{\n  "a":\t1 }', 12, '{ "a": 1 }'),
        (b"\x00\xff", 2, "00 ff"),
        (b"a\x1bb", 3, "a<U+001B>b"),
        ("é".encode()[:1], 2, " …"),
        (b"x" * 1024, 5000, "x" * 120 + " …"),
    ],
)
def test_payload_is_one_line_of_text_or_numbers_of_bytes(
    payload: bytes, size: int, line: str
) -> None:
    """Whatever it holds, and however much of it there is."""
    assert payload_line(topic(payload, size=size)) == line


def test_buttons_of_the_tree_open_and_close_and_show() -> None:
    """Each is in one list at most; the oldest marks go; anything else changes nothing."""
    row = id_of("clients")
    opened, shut, _ = turned({"row": row, "act": "turn", "open": True}, "", "", "")
    assert (opened, shut) == ("", row[:MARK])
    opened, shut, _ = turned({"row": row, "act": "turn", "open": False}, opened, shut, "")
    assert (opened, shut) == (row[:MARK], "")
    assert turned({"row": row, "act": "show"}, "", "", "")[2] == row
    assert turned({"row": row, "act": "show"}, "", "", row)[2] == ""
    for number in range(80):
        one = {"row": id_of(str(number)), "act": "turn", "open": False}
        opened, shut, _ = turned(one, opened, shut, "")
    assert len(opened) == 200
    assert marks(opened)[-1] == id_of("79")[:MARK]
    for sent_by in (None, 7, {"row": 5}, {"act": "turn"}):
        assert turned(sent_by, "abcd", "", "x") == ("abcd", "", "x")


class Outbox:
    """Takes the place of the broker."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.trials: list[Trial] = []
        self.taken = Taken.TAKEN
        monkeypatch.setattr(publishing, "publish", self._publish)
        monkeypatch.setattr(publishing, "current_user", None)

    def _publish(self, _settings: Settings, trial: Trial) -> Taken:
        self.trials.append(trial)
        return self.taken


def test_form_publishes_what_it_says(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says in a sentence what became of it."""
    outbox = Outbox(monkeypatch)
    said = texts(sent(engine, " clients/a/m ", "21,5 °C", "2", True))
    assert outbox.trials == [Trial("clients/a/m", "21,5 °C".encode(), 2, True)]
    assert "Published to clients/a/m with QoS 2: the broker took it and keeps it" in said
    noted = audit_log(engine.settings.access_path, 1)[0]
    assert (noted.action, noted.object) == ("test message asked for", "clients/a/m")
    assert noted.facts == {"qos": "2", "bytes": "8", "retain": "yes"}, "not what is in it"
    assert "deleted" in texts(sent(engine, "clients/a/m", None, "1", True))
    outbox.taken = Taken.BY_NOBODY
    assert "nobody subscribes" in texts(sent(engine, "x", "1", "1", []))


@pytest.mark.parametrize("name", ["", None, "  ", "$SYS/x", "a/#", "+", 7.5e300])
def test_form_refuses_topics_that_are_none(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, name: object
) -> None:
    """In a sentence; nothing is published."""
    outbox = Outbox(monkeypatch)
    said = texts(sent(engine, name, "1", "1", False))
    assert "Not published" in said
    assert outbox.trials == []


def test_viewers_have_no_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """What they cannot send is not shown."""
    monkeypatch.setattr(publishing, "may", lambda wanted: wanted == VIEWER)
    assert texts(form(None)) == ""


def test_form_with_an_existing_broker_says_where_to_publish(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is none, and what a browser sends all the same is published nowhere."""
    monkeypatch.setattr(publishing, "may", lambda wanted: wanted == OPERATOR)
    attached = engine.settings.model_copy(update={"broker_url": "mqtts://broker.example"})
    shown = form(attached.existing_broker)
    assert "This Culex listens at the broker broker.example:8883" in texts(shown)
    refused = sent(replace(engine, settings=attached), "clients/a/m", "1", "1", False)
    assert "Not published: Culex collects from the broker at broker.example:8883" in texts(refused)


def test_form_of_the_application_refuses_through_its_callback(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The admin is known there, and what cannot be published is told."""
    monkeypatch.setattr("dashboard.app.PAGES", (PAGE,))
    app: Flask = create_app(settings, lambda: NOON_US)
    person = app.test_client()
    assert log_in(person).status_code == 302
    body: Any = body_of(person, "topics-sent", {"topics-topic": "a/+", "topics-send": 1})
    assert "Not published" in run(person, body).text
