"""What the client page answers beside its charts, and what it leaves as it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dash import Patch

from dashboard import charts
from dashboard.asking import ask
from dashboard.client import beside, presence
from dashboard.engine import Engine
from dashboard.page import Json, Look
from dashboard.presence import State
from dashboard.style import Style
from dashboard.view import View
from mosquitto.access import Access
from mosquitto.detail import Detail
from telemetry.batch import Batch
from telemetry.presence import Changes, Connection, Ending
from telemetry.settings import Settings
from telemetry.store import open_appender
from telemetry.window import Window
from tests.dashboard.pictures import MINUTE_US, QUESTION, STYLE, every, states, texts
from tests.support import make_settings
from tests.telemetry.builders import NOON_US, SECOND_US, asking, fill

VIEW = View(("boiler",), options={"tab": "topics"})


def settings_in(folder: Path) -> Settings:
    """Settings on a folder that holds a store of the boiler, which was away for some minutes."""
    settings = make_settings(folder)
    settings.data_dir.mkdir()
    some = [
        one
        for one in every(10 * SECOND_US, 200)
        if not -9 * MINUTE_US < one.time_us - NOON_US < -5 * MINUTE_US
    ]
    fill(settings.store_path, some)
    first = NOON_US - 40 * MINUTE_US, NOON_US - 9 * MINUTE_US, Ending.TIMED_OUT
    second = NOON_US - 5 * MINUTE_US, None, ""
    appender = open_appender(settings.store_path)
    connections = [
        Connection("boiler", "boiler", "192.0.2.7:1", "5", 60, True, *one)
        for one in (first, second)
    ]
    appender.append(Batch(presence=Changes(connections=connections)))
    appender.close()
    return settings


@contextmanager
def looking(
    settings: Settings, drawn: Json, now_us: int = NOON_US, style: Style = STYLE
) -> Iterator[Look]:
    """A look at the boiler."""
    window = Window(now_us - 15 * MINUTE_US, now_us)
    with asking(settings.store_path) as querier, querier.snapshot() as snapshot:
        engine = Engine(querier, settings, lambda: now_us)
        yield Look(snapshot, engine, VIEW, window, style, now_us, 1400, drawn)


def answered(
    settings: Settings, drawn: Json, now_us: int = NOON_US, style: Style = STYLE
) -> tuple[Json, Json]:
    """What is answered to such a look, and what the browser remembers of it."""
    with looking(settings, drawn, now_us, style) as look:
        asked = replace(QUESTION, window=look.window, now_us=now_us)
        found, kept = beside.answer(look, ask(look.snapshot, asked))
    return found, kept | {"view": VIEW.query()}


def test_lane_tells_why_there_is_a_gap(tmp_path: Path) -> None:
    """Connected, then gone with the broker's reason, then connected again."""
    settings = settings_in(tmp_path)
    with looking(settings, {}) as look:
        asked = replace(QUESTION, window=look.window)
        told = presence.told(look.snapshot, ask(look.snapshot, asked))
    assert [one.state for one in told] == [State.CONNECTED, State.DISCONNECTED, State.CONNECTED]
    assert told[1].words == "disconnected: keep-alive exceeded"
    assert told[0].start_us == NOON_US - 15 * MINUTE_US


def test_lane_has_the_margins_and_the_axis_of_the_charts(tmp_path: Path) -> None:
    """Whatever stands beside them, bars stand below what they explain."""
    found, _ = answered(settings_in(tmp_path), {})
    layout = found["lane"]["layout"]
    window = Window(NOON_US - 15 * MINUTE_US, NOON_US)
    assert layout["xaxis"]["range"] == charts.time_axis(window, STYLE, 1)["range"]
    assert (layout["margin"]["l"], layout["margin"]["r"]) == (56, 12)
    assert "disconnected for 4 min" in found["lane_words"]


def test_lane_is_drawn_once_and_then_only_its_bars_move(tmp_path: Path) -> None:
    """Not at each tick: a second of a quarter of an hour is a pixel."""
    settings = settings_in(tmp_path)
    first, kept = answered(settings, {})
    assert isinstance(first["lane"], dict)
    soon, same = answered(settings, kept, NOON_US + SECOND_US)
    assert not {"lane", "facts", "lane_words"} & set(soon)
    assert same["lane_at"] == kept["lane_at"]
    later, _ = answered(settings, kept, NOON_US + 3 * SECOND_US)
    assert isinstance(later["lane"], Patch)
    assert "facts" in later


def test_lane_of_another_theme_is_drawn_anew(tmp_path: Path) -> None:
    """Its inks are others."""
    settings = settings_in(tmp_path)
    _, kept = answered(settings, {})
    dark, _ = answered(settings, kept, style=replace(STYLE, dark=True))
    assert isinstance(dark["lane"], dict)


def test_details_are_those_of_the_client(tmp_path: Path) -> None:
    """As they are now; nobody who is not logged in may edit them."""
    settings = settings_in(tmp_path)
    assert answered(settings, {})[0]["details"] == []
    Access(settings.access_path).put_detail(Detail("boiler", "Old boiler"))
    assert list(texts(answered(settings, {})[0]["details"])) == ["Old boiler"]


def test_client_of_states_alone_has_a_lane(tmp_path: Path) -> None:
    """A state that is repeated is as good a sign of life as a number."""
    settings = make_settings(tmp_path)
    settings.data_dir.mkdir()
    fill(settings.store_path, states((-10 * SECOND_US * n, "auto") for n in range(200)))
    with looking(settings, {}) as look:
        told = presence.told(look.snapshot, ask(look.snapshot, QUESTION))
    assert [one.state for one in told] == [State.REPORTING]


def test_client_that_is_new_was_not_silent_before(tmp_path: Path) -> None:
    """Of the time before its first reading nobody knows anything."""
    settings = make_settings(tmp_path)
    settings.data_dir.mkdir()
    fill(settings.store_path, every(10 * SECOND_US, 40))
    with looking(settings, {}) as look:
        told = presence.told(look.snapshot, ask(look.snapshot, QUESTION))
    assert [one.state for one in told] == [State.UNKNOWN, State.REPORTING]
