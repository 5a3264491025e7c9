"""The states that people meet: each page says in words what is wrong and what to do."""

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask_login import login_user  # type: ignore[import-not-found,unused-ignore]  # has no types

from dashboard import frame, parts
from dashboard.engine import Engine
from dashboard.faults import broker_fault, collector_fault
from dashboard.frame import Ask
from dashboard.page import Page
from dashboard.pages import PAGES
from dashboard.people import Person
from dashboard.view import view_of_query
from mosquitto.access_users import User
from telemetry.condition import WriterState
from telemetry.interface import StoreUnavailable
from telemetry.reading import Reading, Series
from telemetry.settings import Settings
from telemetry.store import querier_of
from tests.dashboard.test_admin import texts
from tests.telemetry.builders import NOON_US, SECOND_US, fill

NAMES = [page.name for page in PAGES]
HOUR_US = 3600 * SECOND_US
BEAT = WriterState(beat_us=NOON_US, broker_up=True, heard_us=NOON_US)


class Unavailable:
    """A store that cannot be read now."""

    def snapshot(self) -> Any:
        """Never gives one."""
        raise StoreUnavailable("culex.db cannot be opened; check the owner of its folder")


def page_of(name: str) -> Page:
    """The page of that name."""
    return next(page for page in PAGES if page.name == name)


def asked(app: Flask, engine: Engine, page: Page, query: str = "") -> dict[str, Any]:
    """What the first tick of a page answers."""
    ask = Ask(1, 1, view_of_query(query), "light", "UTC", touch=False, width=1200, drawn={})
    with app.test_request_context(f"/{page.name}"):
        login_user(Person(User("admin", "", "admin", 0)))
        return frame.answer(page, engine, ask)


def engine_of(settings: Settings) -> Engine:
    """What a page has to ask, at noon."""
    return Engine(querier_of(settings), settings, lambda: NOON_US)


@pytest.mark.parametrize("name", NAMES)
def test_page_before_the_first_reading_says_how_to_begin(
    app: Flask, settings: Settings, name: str
) -> None:
    """Nothing was ever started here: the command that gives a client its login is on the page.

    With an existing broker it is not: the page says which broker lets clients in.
    """
    said = asked(app, engine_of(settings), page_of(name))
    assert "client add" in texts(said["notice"])
    attached = settings.model_copy(update={"broker_url": "mqtts://culex@broker.example"})
    there = texts(asked(app, engine_of(attached), page_of(name))["notice"])
    assert "client add" not in there
    assert "broker.example:8883" in there
    assert said["body"] == "body instead"
    assert "collector" in texts(said["status"])


@pytest.mark.parametrize("name", NAMES)
def test_page_whose_store_cannot_be_read_says_why_with_a_number(
    app: Flask, settings: Settings, name: str
) -> None:
    """The sentence says what to do; the number finds the log line."""
    engine = Engine(Unavailable(), settings, lambda: NOON_US)  # type: ignore[arg-type]  # as much as is asked
    said = texts(asked(app, engine, page_of(name))["notice"])
    assert "check the owner of its folder" in said
    assert "dashboard.log" in said


@pytest.mark.parametrize("name", NAMES)
def test_page_with_a_fault_of_its_own_says_so_with_a_number(
    app: Flask, settings: Settings, name: str
) -> None:
    """It tells nothing of our source, and the next tick may work again."""
    fill(settings.store_path, [Reading(Series("boiler", "level"), NOON_US, 1.0)])

    def fail(_look: object) -> Any:
        raise KeyError("a secret of ours")

    said = asked(app, engine_of(settings), replace(page_of(name), answer=fail))
    assert "Try again" in texts(said["notice"])
    assert "a secret of ours" not in texts(said["notice"])
    assert said["ack"] == 1


def test_client_without_data_in_the_window_leads_to_the_last_seen(
    app: Flask, settings: Settings
) -> None:
    """The link shows the hours in which there was something."""
    fill(settings.store_path, [Reading(Series("boiler", "level"), NOON_US - 50 * HOUR_US, 1.0)])
    said = asked(app, engine_of(settings), page_of("client"), "?id=boiler&from=now-1h&to=now")
    assert "Jump to the last reading" in " ".join(map(texts, said.values()))


@pytest.mark.parametrize(
    ("writer", "words"),
    [
        (WriterState(), "has not started yet"),
        (WriterState(beat_us=NOON_US, stopped=True), "make collector"),
        (WriterState(beat_us=NOON_US - HOUR_US), "fell silent"),
        (WriterState(beat_us=NOON_US - HOUR_US, free_bytes=0), "disk is full"),
        (WriterState(beat_us=NOON_US, store_reason="it cannot be written"), "cannot be written"),
    ],
)
def test_collector_that_stores_nothing_is_told_with_what_to_do(
    writer: WriterState, words: str
) -> None:
    """Stopped, silent, disk full, read-only: in a banner before everything else."""
    assert words in collector_fault(writer, NOON_US)
    assert words in texts(parts.banner(writer, (), None, NOON_US))


def test_broker_that_is_down_is_told_with_its_reason() -> None:
    """And a link that is up says nothing."""
    down = replace(BEAT, broker_up=False, broker_reason="connection refused")
    assert "connection refused" in broker_fault(down, NOON_US)
    assert broker_fault(BEAT, NOON_US) == ""


def test_no_such_page_is_told_in_words() -> None:
    """The name is text, and the way to the fleet is there."""
    said = texts(parts.not_found("/x<b>"))
    assert "no such page" in said
    assert "/x<b>" in said


def test_fault_of_an_existing_broker_names_it_and_no_log_of_ours() -> None:
    """Host and port stand in the sentence; a log that is not there is not recommended."""
    there = replace(BEAT, broker="broker.example:8883")
    down = replace(there, broker_up=False, broker_reason="connection refused")
    assert broker_fault(down, NOON_US).startswith(
        "The link to the broker at broker.example:8883 is down: connection refused ("
    )
    silent = replace(there, heard_us=NOON_US - 3_600_000_000)
    assert broker_fault(silent, NOON_US).endswith("though its link is open.")
