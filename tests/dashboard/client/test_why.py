"""The panel that says why there is no data: open where something fails, else left alone."""

from pathlib import Path
from typing import Any

from dashboard.client import why
from dashboard.page import Json
from mosquitto.access import Access
from telemetry.batch import Batch
from telemetry.denials import Denied, detail_of
from telemetry.presence import Changes, Event, EventKind
from telemetry.settings import Settings
from telemetry.store import open_appender
from tests.dashboard.client.test_beside import looking, settings_in
from tests.dashboard.pictures import HOSTILE, texts
from tests.telemetry.builders import NOON_US, SECOND_US


def reporting(folder: Path, *events: Event) -> Settings:
    """The boiler's store, whose collector runs at noon; that happened."""
    settings = settings_in(folder)
    Access(settings.access_path).prepare()
    appender = open_appender(settings.store_path)
    appender.report({"beat_us": NOON_US, "broker_up": 1, "broker_since_us": NOON_US - SECOND_US})
    appender.append(Batch(presence=Changes(events=events)))
    appender.close()
    return settings


def answered(
    settings: Settings, client: str, drawn: Json, now_us: int = NOON_US
) -> Any:  # a pair of JSON
    """What is answered of a client, and what is remembered."""
    with looking(settings, {"why": drawn}, now_us) as look:
        return why.answer(look, client)


def test_panel_is_closed_where_readings_arrive(tmp_path: Path) -> None:
    """And says that nothing is wrong."""
    found, kept = answered(reporting(tmp_path), "boiler", {})
    assert found["why_open"] is False
    assert "nothing is wrong" in texts(found["why_head"])
    assert kept["severity"] == "ok"


def test_panel_is_open_for_a_client_that_never_came(tmp_path: Path) -> None:
    """Also of one that has no login: then that is the reason."""
    found, _ = answered(reporting(tmp_path), "stranger", {})
    assert found["why_open"] is True
    assert "There is no client of this name" in " ".join(texts(found["why"]))


def test_panel_stays_as_the_reader_left_it(tmp_path: Path) -> None:
    """Asked again soon there is no answer; later, nothing that has not changed."""
    settings = reporting(tmp_path)
    _, kept = answered(settings, "stranger", {})
    assert answered(settings, "stranger", kept, NOON_US + SECOND_US) == ({}, kept)
    found, _ = answered(settings, "stranger", kept, NOON_US + 5 * SECOND_US)
    assert found == {}
    other, _ = answered(settings, "boiler", kept, NOON_US + SECOND_US)
    assert other["why_open"] is False


def test_foreign_text_is_shown_and_not_obeyed(tmp_path: Path) -> None:
    """Characters that cannot be seen are named."""
    detail = detail_of(Denied(HOSTILE))
    event = Event(NOON_US - SECOND_US, EventKind.DENIED, "boiler", detail, "192.0.2.7:1")
    found, kept = answered(reporting(tmp_path, event), "boiler", {})
    words = " ".join(texts(found["why"]))
    assert "<img src=x" in words
    assert "U+202E" in words
    assert kept["severity"] == "warn"
