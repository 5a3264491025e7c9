"""The page Admin: storage without slow ticks, retention as a job, and who may see what."""

import threading
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dash.development.base_component import Component
from flask import Flask
from flask.testing import FlaskClient

from dashboard.admin import letting, panels
from dashboard.admin import page as admin
from dashboard.admin.page import PAGE
from dashboard.admin.retention import ask_retain, expiring_text
from dashboard.admin.slow import Slow
from dashboard.admin.storage import outlook, storage_of
from dashboard.app import create_app
from dashboard.engine import Engine
from dashboard.people import hash_password
from dashboard.view import View
from mosquitto.access_audit import audit_log
from mosquitto.access_users import Users
from telemetry.condition import WriterState
from telemetry.interface import StoreUnavailable
from telemetry.job import JobError, Retain, Seal
from telemetry.jobs import result_of, run_pending
from telemetry.reading import Reading, Series
from telemetry.settings import Settings
from telemetry.store import open_appender, querier_of
from telemetry.usage import Forecast
from tests.dashboard.test_app import run, sent
from tests.dashboard.visits import log_in
from tests.support import make_settings
from tests.telemetry.builders import NOON_US, SECOND_US, fill

DAY_US = 86_400 * SECOND_US
HOSTILE = "a/b #1 <b>"
RUNNING = WriterState(beat_us=NOON_US)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application with this page alone."""
    monkeypatch.setattr("dashboard.app.PAGES", (PAGE,))


@pytest.fixture
def app(settings: Settings, pages: None) -> Flask:  # noqa: ARG001  # before it is made
    """The application, at noon."""
    return create_app(settings, lambda: NOON_US)


@pytest.fixture
def viewer(app: Flask, users: Users) -> FlaskClient:
    """A browser of somebody who may only look."""
    users.add("guest", hash_password("look"))
    browser = app.test_client()
    assert log_in(browser, username="guest", password="look").status_code == 302  # noqa: S106
    return browser


def engine_of(settings: Settings) -> Engine:
    """What callbacks have, at noon."""
    return Engine(querier_of(settings), settings, lambda: NOON_US)


def old(settings: Settings) -> Settings:
    """A store whose readings are five days old and sealed; two days of them are kept."""
    kept = settings.model_copy(update={"keep_readings": "2d", "keep_minutes": "2d"})
    readings = [
        Reading(Series(HOSTILE, "level"), NOON_US - 5 * DAY_US + n * SECOND_US, float(n))
        for n in range(100)
    ]
    appender = open_appender(fill(kept.store_path, readings))
    appender.do(Seal(NOON_US - 4 * DAY_US))
    appender.close()
    return kept


def texts(part: object) -> str:
    """All that a component says."""
    if isinstance(part, Component):
        return texts(getattr(part, "children", ""))
    if isinstance(part, list | tuple):
        return " ".join(map(texts, part))
    return str(part) if part is not None else ""


def as_role(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    """Whoever asks has that role alone."""
    monkeypatch.setattr(admin, "may", lambda wanted: wanted == role)


def test_slow_question_is_asked_beside_the_tick_and_by_one_thread() -> None:
    """While it is being answered the tick has nothing; then the same answer until that is old."""
    go, asked = threading.Event(), []

    def ask(now_us: int) -> int:
        asked.append(now_us)
        go.wait(30)
        return now_us

    slow = Slow(ask, 60)
    assert [slow.newest(now_us) for now_us in (0, 10, 20)] == [None] * 3
    go.set()
    slow.wait()
    assert [slow.newest(59), asked] == [0, [0]]
    assert slow.newest(60) == 0, "the old one, while the new one is asked for"
    slow.wait()
    assert [slow.newest(61), asked] == [60, [0, 60]]


def test_slow_question_that_fails_says_why_and_keeps_the_last_answer() -> None:
    """It is asked again when the answer would be old, and the fault is gone once it succeeds."""
    answers: list[Exception | str] = ["first", StoreUnavailable("the store is held"), "third"]

    def ask(_now_us: int) -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    slow = Slow(ask, 10)
    for now_us, found, fault in ((0, "first", ""), (10, "first", "held"), (20, "third", "")):
        slow.newest(now_us)
        slow.wait()
        assert slow.newest(now_us + 1) == found
        assert fault in slow.fault
        assert bool(fault) is bool(slow.fault)


def test_storage_says_what_readings_files_and_clients_weigh(settings: Settings) -> None:
    """Sizes are those of the files; the name of the client is text."""
    kept = old(settings)
    storage = storage_of(engine_of(kept).querier, kept, NOON_US)
    files = [*kept.data_dir.glob("blocks/r*/*/*.parquet")]
    assert sum(one.size for one in storage.inventory.stocks) == sum(
        one.stat().st_size for one in files
    )
    assert storage.sizes["Database"] == kept.store_path.stat().st_size
    shown = texts(admin.client_table(storage.usage))
    assert HOSTILE in shown
    assert "100" in shown


@pytest.mark.parametrize(
    ("days", "words"), [(None, "never full"), (12, "full in 12 days"), (0, "full in 0 days")]
)
def test_outlook_says_until_when_there_is_room(days: int | None, words: str) -> None:
    """In days as it grows now, or never."""
    assert words in outlook(Forecast(1000, days, 5_000_000, 10))


def test_answer_sends_storage_once_and_again_only_when_it_was_counted_anew(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first tick does not wait, the next has it, those after it have nothing new."""
    engine = engine_of(old(settings))
    as_role(monkeypatch, "admin")
    with engine.querier.snapshot() as snapshot:

        def tick(now_us: int, drawn: dict[str, Any]) -> dict[str, Any]:
            look: Any = SimpleNamespace(
                snapshot=snapshot, engine=engine, now_us=now_us, drawn=drawn,
                style=SimpleNamespace(zone=UTC), view=View(),
            )  # fmt: skip
            monkeypatch.setattr(admin, "tier_table", lambda *_: "tiers")
            found = PAGE.answer(look)
            admin._storage(engine).wait()
            return found

        first = tick(NOON_US, {})
        second = tick(NOON_US + 1, first["drawn"])
        third = tick(NOON_US + 2, second["drawn"])
        later = tick(NOON_US + 61 * SECOND_US, third["drawn"])
        last = tick(NOON_US + 62 * SECOND_US, later["drawn"])
    assert ["tiles" in one for one in (first, second, third, later, last)] == [
        False, True, False, False, True
    ]  # fmt: skip
    assert "100" in texts(second["tiles"])


def test_answer_of_another_worker_that_counted_earlier_is_not_sent(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two workers take turns at the ticks of a page: its figures never go back."""
    engine = engine_of(old(settings))
    as_role(monkeypatch, "admin")
    admin._storage(engine).newest(NOON_US)
    admin._storage(engine).wait()
    look: Any = SimpleNamespace(
        engine=engine, now_us=NOON_US + 1, style=SimpleNamespace(zone=UTC),
        view=View(), drawn={"asked_us": NOON_US + SECOND_US, "zone": "UTC"},
    )  # fmt: skip
    assert "tiles" not in PAGE.answer(look)


def test_who_is_no_admin_sees_versions_and_nothing_else(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the layout nor a tick has more for operators; an admin has all of it."""
    engine = engine_of(settings)
    as_role(monkeypatch, "operator")
    layout = PAGE.layout(View(), engine)
    shown = texts(layout)
    assert "Mosquitto" in shown
    assert "for admins" in shown
    there = {getattr(one, "id", "") for one in layout._traverse()}
    outputs = {one.component_id for one in PAGE.outputs.values()}
    assert outputs <= there, "or Dash would leave the page unanswered"
    for hidden in ("http_port", "keep", panels.DRY_RUN, str(settings.data_dir)):
        assert hidden not in shown
    assert PAGE.answer(SimpleNamespace(drawn={})) == {}  # type: ignore[arg-type]  # no more is read
    as_role(monkeypatch, "admin")
    shown = texts(PAGE.layout(View(), engine))
    for there in ("http_port", "What would go now?", "Mosquitto", str(settings.data_dir)):
        assert there in shown


def test_dry_run_shows_what_goes_and_the_run_lets_it_go(settings: Settings) -> None:
    """Shown, asked for, done by the owner of the store, told; then nothing more is over."""
    engine = engine_of(old(settings))
    with engine.querier.snapshot() as snapshot:
        writer = snapshot.writer()
    assert writer.beat_us is None, "no collector has run on this store"
    refused = letting.begun(engine)
    assert "make collector" in texts(refused[1])
    assert audit_log(engine.settings.access_path, 1)[0].action == "retain asked for"
    table, text, nothing, _ = letting.shown(engine, {}, {"zone": "Europe/Berlin"})
    assert HOSTILE in texts(table)
    assert "100 readings" in str(text)
    assert nothing is False
    job_id = ask_retain(engine.settings, RUNNING, NOON_US)
    assert letting.watched(engine, job_id)[1:] != (True, None), "it is not done yet"
    appender = open_appender(engine.settings.store_path)
    run_pending(engine.settings.jobs_dir, appender.do)  # type: ignore[arg-type]  # a store's job
    appender.close()
    said, stop, _ = letting.watched(engine, job_id)
    assert "Done: 100 readings are gone" in texts(said)
    assert stop is True
    assert letting.shown(engine, {}, {})[2] is True, "nothing is over any more"
    assert texts(letting.watched(engine, job_id)[0]) == texts(said), "it can be asked for again"


def test_run_is_left_for_the_collector_with_the_rules_in_effect(tmp_path: Path) -> None:
    """The job says until when, and by which rules; a collector that stopped gets none."""
    settings = make_settings(tmp_path, keep_readings="2d", keep_minutes="2d")
    with pytest.raises(JobError, match="make collector"):
        ask_retain(settings, WriterState(beat_us=NOON_US, stopped=True), NOON_US)
    job_id = ask_retain(settings, RUNNING, NOON_US)
    taken: list[object] = []
    run_pending(settings.jobs_dir, lambda job: taken.append(job) or {"expired": 0, "bytes": 0})  # type: ignore[func-returns-value]  # appended, then answered
    assert taken == [Retain(NOON_US, settings.policy.retention)]
    assert result_of(settings.jobs_dir, job_id) == {"expired": 0, "bytes": 0}


def test_what_goes_is_said_in_one_sentence() -> None:
    """Nothing is nothing of nobody."""
    assert expiring_text([]).startswith("0 readings and 0 rollups of 0 clients, 0 B,")


@pytest.mark.parametrize("found_in", [f"{panels.EXPIRING}.children", f"{panels.JOB}.data"])
def test_viewer_who_sends_the_callbacks_himself_is_refused(
    viewer: FlaskClient, settings: Settings, found_in: str
) -> None:
    """Over HTTP too, with values that the page would send."""
    values: dict[str, object] = {panels.DRY_RUN: 1, panels.CONFIRM: 1, "view": {}, "browser": {}}
    answer = run(viewer, sent(viewer, found_in, values))
    assert answer.status_code == 403
    assert not settings.jobs_dir.exists()
