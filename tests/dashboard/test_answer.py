"""The answer to a tick: designed notices instead of faults, and no more than has changed."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from dashboard.client_page import PAGE
from dashboard.engine import Engine
from dashboard.frame import SHELL, answer, ask_of_json
from dashboard.page import Json
from dashboard.view import View, view_to_json
from telemetry.batch import Batch
from telemetry.settings import Settings
from telemetry.store import open_appender
from tests.dashboard.pictures import HOSTILE, HOUR_US, every, happen, lost, states, texts, unpacked
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill

BROWSER: Mapping[str, object] = {"zone": "UTC", "width": 1000, "touch": False}


def answered(settings: Settings, view: View, **rest: object) -> Json:
    """The answer to a page with that view."""
    browser, drawn = rest.pop("browser", BROWSER), rest.pop("drawn", {})
    sent = {"number": 1, "view": view_to_json(view), "theme": "light"} | rest
    ask = ask_of_json(sent | dict(browser), drawn, "client")  # type: ignore[call-overload]  # by name
    with asking(settings.store_path) as querier:
        made = answer(PAGE, Engine(querier, settings, lambda: NOON_US), ask)
    assert set(made) <= set(SHELL) | set(PAGE.outputs), "an output that the callback does not have"
    return made


def notice(made: Json) -> str:
    """What stands in place of the page, or of its charts."""
    if made.get("notice") is not None:
        assert made["body"] == "body instead"
        return " ".join(texts(made["notice"]))
    assert made["no_charts"] is True
    return " ".join(texts(made["in_place"]))


def test_answer_without_a_store_is_the_first_run(settings: Settings) -> None:
    """No collector has run: the page says how to begin, and that none has started."""
    made = answered(settings, View())
    assert "Waiting for the first reading" in notice(made)
    assert "stopped" in " ".join(texts(made["status"]))


def test_answer_of_an_empty_store_is_the_first_run(settings: Settings) -> None:
    """A collector runs, but nobody has published."""
    fill(settings.store_path, [])
    assert "Waiting for the first reading" in notice(answered(settings, View()))


def test_answer_of_a_damaged_store_names_it(settings: Settings) -> None:
    """The reason and what to do, not a traceback."""
    settings.store_path.write_bytes(b"no database at all " * 999)
    made = notice(answered(settings, View()))
    assert "The store did not answer" in made
    assert "Try again" in made
    assert "restore it from a backup" in made


def test_answer_of_an_unknown_client_asks_to_choose(settings: Settings) -> None:
    """The dropdown has the one that is shown, beside its clients."""
    fill(settings.store_path, every(SECOND_US, 3))
    made = answered(settings, View(clients=("nobody",)))
    assert "No readings of 'nobody'" in notice(made)
    assert [one["value"] for one in made["clients"]] == ["boiler", "nobody"]
    assert made["why_open"] is True


def test_answer_of_an_empty_window_keeps_what_is_known(settings: Settings) -> None:
    """No charts, but the newest values and a way to the last reading."""
    fill(settings.store_path, every(SECOND_US, 3))
    made = answered(settings, View(clients=("boiler",), start="2020-01-01", end="2020-01-02"))
    assert "No readings in this window" in notice(made)
    assert "2" in texts(made["tiles"][0])


def test_answer_of_a_window_before_1970_is_a_notice(settings: Settings) -> None:
    """Nobody measured then, but an address may name it."""
    fill(settings.store_path, [*every(SECOND_US, 3), *states([(-1, "idle")])])
    made = answered(settings, View(clients=("boiler",), start="1960-01-01", end="1961-01-01"))
    assert "No readings in this window" in notice(made)


def test_answer_of_readings_before_1970_are_charts(settings: Settings) -> None:
    """An import may bring them: what was newest then stands in the tile."""
    old_us = -9 * 366 * 24 * HOUR_US
    old = [one._replace(time_us=old_us + n, value=70.0) for n, one in enumerate(every(1, 9))]
    fill(settings.store_path, [*every(SECOND_US, 3), *old])
    made = answered(settings, View(clients=("boiler",), start="1960-01-01", end="1962-01-01"))
    assert not made["no_charts"]
    assert "70" in texts(made["tiles"][0])


@pytest.mark.parametrize(
    "view",
    [
        View(start="now", end="now-1h"),
        View(start="junk"),
        View(start="now-999999w"),
        View(end="9999-12-31T23:59:59"),
        View(zone="Mars/Base"),
        View(spans=("x",)),
        View(spans=tuple(f"{n}m" for n in range(1, 9))),
    ],
)
def test_answer_to_an_impossible_view_says_why(settings: Settings, view: View) -> None:
    """One sentence and a way back."""
    fill(settings.store_path, every(SECOND_US, 3))
    assert "This cannot be shown" in notice(answered(settings, view))


@pytest.mark.parametrize("start", ["1900-01-02", "now-4000d", "now-1s"])
def test_answer_to_the_widest_and_narrowest_views_is_one(settings: Settings, start: str) -> None:
    """Any window that can be asked for is answered."""
    fill(settings.store_path, [*every(SECOND_US, 2000), *states([(-1, "on")])])
    made = answered(settings, View(clients=("boiler",), start=start))
    assert made["no_charts"] is False


def test_answer_to_the_first_tick_draws_and_to_the_next_extends(settings: Settings) -> None:
    """Only the ends of lines travel once the figure is there, and no options that are known."""
    fill(settings.store_path, every(SECOND_US, 30))
    view = View(clients=("boiler",))
    first = answered(settings, view)
    assert len(first["figure"].data) > 2 * len(settings.spans)
    fill(settings.store_path, every(SECOND_US, 40))
    again = answered(settings, view, drawn=first["drawn"])
    assert again["ends"]["of"] == first["figure"].layout.meta["token"]
    assert "figure" not in again
    assert "clients" not in again
    assert "metrics" not in again
    assert "height" not in again


def test_answer_after_a_metric_appeared_draws_anew(settings: Settings) -> None:
    """A new series gets its panel at the next tick, and its name in the dropdown."""
    fill(settings.store_path, every(SECOND_US, 30))
    view = View(clients=("boiler",))
    first = answered(settings, view)
    appender = open_appender(settings.store_path)
    appender.append(Batch(states([(-1, "on")])))
    appender.close()
    again = answered(settings, view, drawn=first["drawn"])
    assert len(again["figure"].data) == len(first["figure"].data) + 1
    assert [one["value"] for one in again["metrics"]] == ["mode", "temperature"]


def test_answer_after_a_session_was_lost_brings_line_and_words(settings: Settings) -> None:
    """The mark comes with a tick into the figure that is there, and leaves with its window."""
    fill(settings.store_path, every(SECOND_US, 30))
    view = View(clients=("boiler",))
    first = answered(settings, view)
    fill(happen(settings.store_path, *lost(-SECOND_US)), every(SECOND_US, 40))
    layout = answered(settings, view, drawn=first["drawn"])["ends"]["layout"]
    assert [line["x0"] for line in layout["shapes"]] == ["2026-11-23T11:59:59.000"]
    assert [one["text"] for one in layout["annotations"]] == ["<b>temperature</b>", "session lost"]
    later = View(clients=("boiler",), start="2026-11-23T11:50:00Z", end="2026-11-23T11:59:59Z")
    assert answered(settings, later, drawn=first["drawn"])["ends"]["layout"]["shapes"] == []


@pytest.mark.parametrize("change", [{"theme": "dark"}, {"browser": {"zone": "Asia/Tokyo"}}])
def test_answer_to_another_look_draws_anew(settings: Settings, change: dict[str, object]) -> None:
    """Theme and zone change more than arrays."""
    fill(settings.store_path, every(SECOND_US, 30))
    first = answered(settings, View())
    assert "figure" in answered(settings, View(), drawn=first["drawn"], **change)


@pytest.mark.parametrize("width", [None, "wide", 0, -5, 10**9, 390, 1e308, True, []])
def test_answer_to_any_width_has_a_bounded_number_of_points(
    settings: Settings, width: object
) -> None:
    """Whatever a browser says of itself, a chart has at most 1 200 buckets or 1 000 readings."""
    fill(settings.store_path, every(SECOND_US, 20_000))
    made = answered(
        settings, View(clients=("boiler",), start="now-5h"), browser={"zone": "UTC", "width": width}
    )
    drawn = made["figure"].to_dict()["data"][1]["x"]
    assert 50 <= len(unpacked(drawn)) <= 1202


def test_answer_of_an_unknown_hostile_client_shows_what_hides_in_its_name(
    settings: Settings,
) -> None:
    """Characters that reorder text are shown as what they are."""
    hostile = View(clients=(HOSTILE,))
    fill(settings.store_path, every(SECOND_US, 3))
    assert "\u202e" not in notice(answered(settings, hostile))


def test_answer_is_of_the_clock_that_was_given(settings: Settings) -> None:
    """The page's age counts from the engine's clock alone."""
    fill(settings.store_path, every(SECOND_US, 3))
    made = answered(settings, View())
    assert made["as_of"]["at"] == NOON_US // 1000
    assert made["as_of"]["end"] == NOON_US
    assert made["as_of"]["start"] == NOON_US - HOUR_US // 4


def test_answer_without_news_brings_the_time_alone(settings: Settings) -> None:
    """What is equal to what the browser has is not sent again."""
    fill(settings.store_path, every(SECOND_US, 30))
    view = View(clients=("boiler",), start="2026-11-23T11:50:00Z", end="2026-11-23T12:00:00Z")
    first = answered(settings, view)
    again = answered(settings, view, drawn=first["drawn"])
    assert set(again) <= {"ack", "as_of"}


def test_answer_after_another_page_was_drawn_is_whole(settings: Settings) -> None:
    """What one page remembers says nothing of another."""
    fill(settings.store_path, every(SECOND_US, 30))
    first = answered(settings, View())
    for other in ({"of": "fleet"}, {"visit": 6}):
        again = answered(settings, View(), visit=7, drawn=first["drawn"] | other)
        assert set(again) == set(first)
    same = answered(settings, View(), visit=7, drawn=first["drawn"] | {"visit": 7})
    assert set(same) < set(first)


def test_answer_when_a_page_has_a_fault_says_so_and_acknowledges(settings: Settings) -> None:
    """A fault of ours is a notice with a number, never a page that stands still."""
    fill(settings.store_path, every(SECOND_US, 30))

    def broken(_look: object) -> Json:
        raise ZeroDivisionError

    ask = ask_of_json({"number": 7, **BROWSER}, {}, "client")
    with asking(settings.store_path) as querier:
        engine = Engine(querier, settings, lambda: NOON_US)
        made = answer(replace(PAGE, answer=broken), engine, ask)
    assert made["ack"] == 7
    assert "has a fault here" in notice(made)
