"""What could not be read: explained, shown as it came, and decoded again by those who may."""

import json
import re
import unicodedata
from datetime import UTC

import pytest
from dash import no_update
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from dashboard.engine import Engine
from dashboard.quality import drawer, replay
from dashboard.quality.drawer import AT_ONCE, choice_of, filled, opened
from dashboard.quality.payloads import MOST_BYTES, Form, payload_text
from dashboard.quality.replay import asked, once_more, polled
from mosquitto.access_audit import audit_log
from mosquitto.access_users import OPERATOR, VIEWER
from telemetry.batch import Arrival, Batch
from telemetry.job import Job, Replay, Result
from telemetry.jobs import run_pending
from telemetry.ledger import Account, Outcome
from telemetry.quarantine import Choice, Quarantined
from telemetry.reasons import known_reasons, reason_of
from telemetry.settings import ROOT, Settings
from telemetry.store import open_appender, querier_of
from tests.dashboard.test_quality import texts
from tests.dashboard.test_rights import CALLBACK, call_of, dash_of, served
from tests.dashboard.visits import callback_headers
from tests.telemetry.builders import NOON_US, steady

TOPIC, REASON = "clients/<b>/x", "malformed-json"
OPEN = {"group": json.dumps([TOPIC, REASON, "boiler"]), "before": None}
FACTS = '{"retain":true,"content_type":"text/x","user":[["a","<b>"]]}'


@pytest.fixture
def engine(settings: Settings) -> Engine:
    """What callbacks have, over a store with some messages in quarantine and a live collector."""
    appender = open_appender(settings.store_path)
    some = [
        Quarantined(Account("boiler", 0), n, TOPIC, b'{"n":%d' % n, REASON, "m", facts=FACTS)
        for n in range(AT_ONCE + 3)
    ]
    appender.append(
        Batch(
            arrivals=[Arrival(one.account, (), Outcome.QUARANTINED) for one in some],
            quarantined=some,
        )
    )
    appender.report({"beat_us": NOON_US, "broker_up": 1})
    appender.close()
    return Engine(querier_of(settings), settings, lambda: NOON_US)


def test_reasons_are_those_of_the_documentation() -> None:
    """Whatever the collector says there are words for."""
    page = (ROOT / "docs" / "formats.md").read_text("utf-8").partition("## Reasons")[2]
    cells = re.findall(r"^\| (`[a-z].*?) \|", page, re.MULTILINE)
    documented = {word for cell in cells for word in re.findall(r"`([a-z0-9-]+)`", cell)}
    assert len(documented) > 40
    assert known_reasons() == documented
    assert reason_of("made-up").meaning == "Made up"


@steady
@given(st.binary(max_size=200), st.sampled_from(Form))
def test_payload_of_any_bytes_is_text_that_shows_every_one(payload: bytes, form: Form) -> None:
    """Nothing raises, and nothing invisible or reordering gets through."""
    shown = payload_text(payload, form)
    assert shown
    hidden = {"Cc", "Cf", "Co", "Cs"}
    assert not [c for c in shown if unicodedata.category(c) in hidden and c not in "\n\t\r"]
    if form is Form.HEX and payload:
        parts = [line[8 : 8 + 47] for line in shown.split("\n")]
        assert bytes.fromhex("".join(parts)) == payload


@pytest.mark.parametrize(
    ("payload", "form", "shown"),
    [
        (b"", Form.AUTO, "(empty)"),
        ("21,5 °C".encode(), Form.AUTO, "21,5 °C"),
        (b'{"a":[1]}', Form.JSON, '{\n  "a": [\n    1\n  ]\n}'),
        (b'{"a":', Form.JSON, '{"a":'),
        (b"\x01\xff", Form.AUTO, f"000000  {'01 ff':<47}  .."),
        ("a\u202eb".encode(), Form.TEXT, "a<U+202E>b"),
        (b"[" * 5000, Form.JSON, "[" * 5000),
        (b"x" * 9000, Form.AUTO, "x" * MOST_BYTES),
    ],
)
def test_payload_is_written_as_it_reads(payload: bytes, form: Form, shown: str) -> None:
    """JSON with its levels, text as text, all else byte by byte."""
    assert payload_text(payload, form) == shown


@pytest.mark.parametrize(
    "sent",
    [
        *(None, {}, {"group": 7}, {"group": "{"}, {"group": '["a", 1, ""]'}),
        *({"group": "[" * 5000}, {"group": r'["\ud800", "b", "c"]'}),
    ],
)
def test_drawer_takes_nothing_else_for_a_group(sent: object) -> None:
    """Whatever a browser sends."""
    assert choice_of(sent) is None
    assert opened({"rowId": sent}) == opened(sent) == (no_update,) * 3


def test_drawer_shows_the_newest_messages_and_older_ones(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten at once, each with its time, its bytes, and what its publisher said."""
    monkeypatch.setattr(drawer, "may", lambda wanted: wanted == OPERATOR)
    group, is_open, _ = opened({"rowId": OPEN["group"]})
    assert (group, is_open, choice_of(group)) == (OPEN, True, Choice(REASON, TOPIC))
    head, shown, hidden, newest, older, last = filled(engine, group, "auto", UTC)
    said = texts(head)
    assert TOPIC in said
    assert "It is not valid JSON" in said
    assert len(shown) == AT_ONCE  # type: ignore[arg-type]  # they are in a list
    assert '{"n":12' in texts(shown)
    assert "metric m · retained · content type text/x · a=<b>" in texts(shown).replace(
        "7\u00a0bytes · ", ""
    )
    assert (hidden, newest, older) == (False, True, False)
    _, shown, _, newest, older, _ = filled(engine, OPEN | {"before": last}, "hex", UTC)
    assert (len(shown), newest, older) == (3, False, True)  # type: ignore[arg-type]  # they are in a list
    assert "7b 22 6e 22 3a 30" in texts(shown)


@pytest.mark.parametrize("before", [1 << 63, -(1 << 70), 1e300, "9", None])
def test_drawer_takes_a_number_that_no_message_has_for_none(
    engine: Engine,  # noqa: ARG001  # filled
    app: Flask,
    person: FlaskClient,
    before: object,
) -> None:
    """Whatever the browser remembers of the message before, the newest are shown."""
    output, entry = next(
        (output, entry)
        for output, entry in served(dash_of(app)).items()
        if entry["callback"].__name__ == "fill"
    )
    call = call_of(output, entry, {})
    call["inputs"][0]["value"] = OPEN | {"before": before}
    answer = person.post(CALLBACK, json=call, headers=callback_headers(person))
    assert answer.status_code == 200
    shown = answer.get_json()["response"]["quality-messages"]["children"]
    assert (len(shown), '{"n":12' in json.dumps(shown).replace("\\", "")) == (AT_ONCE, True)


def test_drawer_of_a_viewer_has_no_actions(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who may only look sees the messages and no button."""
    monkeypatch.setattr(drawer, "may", lambda wanted: wanted == VIEWER)
    assert filled(engine, OPEN, "auto", UTC)[2] is True


@pytest.mark.parametrize("dry_run", [True, False])
def test_replay_is_asked_of_the_collector_and_told_in_a_sentence(
    engine: Engine, *, dry_run: bool
) -> None:
    """Nobody waits in between; the drawer looks again only after something changed."""
    folder = engine.settings.jobs_dir
    job, off, said, *busy = asked(engine, OPEN, dry_run=dry_run)
    assert (off, busy) == (False, [True, True])
    assert "decoding" in texts(said)
    assert polled(engine, job, OPEN) == (no_update,) * 6
    did: list[Job] = []
    counts = {"messages": 13, "released": 12, "stay": 1, "cut": 0, "readings": 24, "stored": 20}

    def do(one: Job) -> Result:
        did.append(one)
        return counts | ({"stored": 0} if dry_run else {})

    run_pending(folder, do)
    assert did == [Replay(Choice(REASON, TOPIC), dry_run)]
    log = audit_log(engine.settings.access_path)
    noted = [(one.object, one.facts) for one in log if one.action == "replay asked for"]
    assert noted == ([] if dry_run else [(TOPIC, {"reason": REASON})]), "a preview is no change"
    for _ in range(2):  # an answer that is lost is asked for again
        _, off, said, *busy, looked = polled(engine, job, OPEN)
        assert (off, busy) == (True, [False, False])
        words = "would leave quarantine" if dry_run else "20 new readings are stored; 4 more were"
        assert f"12 of 13 messages {'' if dry_run else 'left quarantine: '}{words}" in texts(said)
        assert looked == (no_update if dry_run else OPEN | {"turn": 1})


@pytest.mark.parametrize(("ended", "ticks"), [(True, 0), (False, 8), (no_update, 8)])
def test_next_tick_comes_only_after_an_answer(ended: object, ticks: int) -> None:
    """One question is out at a time, however slow the server is."""
    assert once_more(("job", ended, "said"), 7) == ("job", ticks, "said")


def test_replay_without_a_collector_says_what_to_do(engine: Engine) -> None:
    """Nothing is left for a collector that may come in a week."""
    later = Engine(engine.querier, engine.settings, lambda: NOON_US + 3_600_000_000)
    _, off, said, *_ = asked(later, OPEN, dry_run=True)
    assert off is True
    assert texts(said).startswith("Not done: ")
    assert not [*engine.settings.jobs_dir.glob("*.job")]


def test_replay_that_nobody_answers_is_withdrawn(engine: Engine) -> None:
    """After two minutes the buttons are free again, and the job will not be done later."""
    job, *_ = asked(engine, OPEN, dry_run=False)
    later = Engine(engine.querier, engine.settings, lambda: NOON_US + 121_000_000)
    _, off, said, *_ = polled(later, job, OPEN)
    assert off is True
    assert "two minutes" in texts(said)
    assert not [*engine.settings.jobs_dir.iterdir()]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"error": "the disk is full"}, "Not done: the disk is full."),
        ({"messages": 0}, "None of them is in quarantine any more."),
        ({"messages": 3, "stay": 3}, "None of them can be read yet."),
    ],
)
def test_result_of_a_replay_is_a_sentence(result: Result, words: str) -> None:
    """Whatever became of it."""
    assert words in texts(replay.replayed(result, dry_run=False))
