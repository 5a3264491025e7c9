"""The tabs below the charts: their tables, their words, and when they are looked up anew."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dash.development.base_component import Component

from dashboard.asking import ask
from dashboard.client import newest, tabs
from dashboard.client.gap_table import gap_tab
from dashboard.client.gaps import Lack, Lacks
from dashboard.client.raw import payload, raw_tab
from dashboard.client.topics import topics_tab
from dashboard.engine import Engine
from dashboard.page import Json, Look
from dashboard.view import View
from telemetry.batch import Arrival, Batch
from telemetry.gaps import Gap, LateRun
from telemetry.ledger import account
from telemetry.quarantine import Quarantined
from telemetry.store import open_appender
from telemetry.topic import Heard
from telemetry.window import Window
from tests.dashboard.pictures import HOSTILE, MINUTE_US, QUESTION, STYLE, every, texts
from tests.support import make_settings
from tests.telemetry.builders import NOON_US, SECOND_US, asking, reading

VIEW = View(("boiler",))
NOW_US = NOON_US + SECOND_US
GAP = Gap(NOON_US - 310 * SECOND_US, NOON_US - 180 * SECOND_US, 1200)


def text(parts: list[Component]) -> str:
    """Everything that is to be read."""
    return " | ".join(texts(parts))


def hrefs(component: object) -> list[str]:
    """Every address in a component and below it."""
    if isinstance(component, list | tuple):
        return [found for child in component for found in hrefs(child)]
    if not isinstance(component, Component):
        return []
    own = [component.href] if hasattr(component, "href") else []
    return [*own, *hrefs(getattr(component, "children", None))]


def heard(topic: str, content: bytes, **rest: Any) -> Heard:  # fields of any type
    """A message on a topic of the boiler."""
    fields: dict[str, Any] = {
        "topic": topic, "client": "boiler", "metrics": (), "messages": 1, "first_us": NOON_US,
        "last_us": NOON_US, "arrival": 0, "reason": "", "payload": content, "size": len(content),
        "qos": 1, "flags": 0,
    }  # fmt: skip
    return Heard(**(fields | rest))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with readings, two topics, and messages that could not be read."""
    own = account("boiler", NOON_US)
    broken = Quarantined(own, NOON_US, "clients/boiler/x", b'{"a": "<b>"', "malformed-json")
    other = Quarantined(
        account("tank", NOON_US), NOON_US, "clients/tank/x", b"not ours", "malformed-json"
    )
    appender = open_appender(tmp_path / "culex.db")
    appender.append(
        Batch(
            every(10 * SECOND_US, 200),
            arrivals=[Arrival(own, [reading(NOON_US + 1, 3.0)])],
            quarantined=[broken, other],
            topics=[
                heard("clients/boiler/t", b"21.5", metrics=("temperature",)),
                heard(HOSTILE, b"\x00\xff" * 80, reason="malformed-json"),
            ],
        )
    )
    appender.close()
    return tmp_path / "culex.db"


def test_gap_is_told_with_its_length_what_is_missing_and_why() -> None:
    """And a link shows that time, with as much around it, and the tab."""
    found = Lacks([Lack("temperature", GAP, "kicked <b>")], 1, 0, 1200, 0, [])
    parts = gap_tab(found, "boiler", replace(VIEW, options={"tab": "gaps"}), STYLE)
    said = text(parts)
    assert "1 gap, 1\u202f200 readings missing." in said
    assert "2026-11-23 11:54:50 | 2026-11-23 11:57:00 | 2 min 10 s | 1\u202f200" in said
    assert "kicked <b>" in said
    assert "Look |  at temperature from 2026-11-23 11:54:50" in said
    [href] = hrefs(parts)
    assert href.startswith("/client?id=boiler&from=2026-11-23T11%3A53%3A45")
    assert href.endswith("&tab=gaps")


def test_gap_that_lasts_has_no_end_and_an_unknown_reason_is_none() -> None:
    """Nobody guesses."""
    found = Lacks([Lack("t", replace(GAP, lasts=True, missing=None), "")], 1, 0, 0, 0, [])
    said = text(gap_tab(found, "boiler", VIEW, STYLE))
    assert "lasts" in said
    assert "not known" in said


def test_late_readings_are_no_gap() -> None:
    """They are told by how late they were."""
    run = LateRun(NOON_US - 300 * SECOND_US, NOON_US - 190 * SECOND_US, 12, 4 * MINUTE_US)
    said = text(gap_tab(Lacks([Lack("t", run, "")], 0, 1, 0, 0, []), "boiler", VIEW, STYLE))
    assert "12 readings came up to 4 min late" in said


def test_what_could_not_be_looked_for_is_said() -> None:
    """A grain, and metrics whose interval nobody knows."""
    said = text(gap_tab(Lacks([], 0, 0, 0, 90 * SECOND_US, [HOSTILE]), "boiler", VIEW, STYLE))
    assert "a gap shorter than 1 min 30 s may not be found" in said
    assert "<U+202E>" in said
    assert "Nothing is missing in this window." in said


def test_raw_tab_has_what_is_kept_of_its_client_alone(path: Path) -> None:
    """The last message of each topic, what is in quarantine with its reason, and no other's."""
    with asking(path) as querier, querier.snapshot() as snapshot:
        said = text(raw_tab(snapshot, "boiler", STYLE))
        nothing = text(raw_tab(snapshot, "nobody", STYLE))
    assert "clients/boiler/t" in said
    assert "21.5" in said
    assert "It is not valid JSON" in said
    assert '{"a": "<b>"' in said
    assert "not ours" not in said
    assert "<U+202E>" in said
    assert "All of its messages could be read." in nothing


def test_long_payload_is_folded_and_says_what_is_kept() -> None:
    """One line of it stands in the table."""
    found = payload(b'{"a": 1}' + b" " * 2000, 9000, "a topic")
    assert "2008 of 9000 bytes are kept" in text([found])
    assert list(texts(payload(b"21.5", 4, "a topic"))) == ["21.5"]


def test_topics_tab_says_what_the_last_message_became(path: Path) -> None:
    """Series, or why it is none."""
    with asking(path) as querier, querier.snapshot() as snapshot:
        said = text(topics_tab(snapshot, "boiler", NOW_US))
        nothing = text(topics_tab(snapshot, "nobody", NOW_US))
    assert "readings: temperature" in said
    assert "It is not valid JSON" in said
    assert "No message of it was heard" in nothing


def looked(path: Path, view: View, drawn: Json, now_us: int = NOW_US) -> tuple[Json, Json]:
    """What the tabs answer to a look."""
    settings = make_settings(path.parent)
    with asking(path) as querier, querier.snapshot() as snapshot:
        window = Window(now_us - 15 * MINUTE_US, now_us)
        engine = Engine(querier, settings, lambda: now_us)
        look = Look(snapshot, engine, view, window, STYLE, now_us, 1400, {"tab": drawn})
        asked = replace(QUESTION, window=window, now_us=now_us)
        return tabs.answer(look, ask(snapshot, asked), [])


def test_readings_come_once_and_then_only_what_is_new(path: Path) -> None:
    """Until the window has moved on, when all of them come again."""
    shown, kept = looked(path, VIEW, {})
    assert shown["tab"].endswith("show-latest")
    assert len(shown["newest"]) == 91
    assert shown["newest_height"] == {"height": "440px"}
    few, _ = looked(path, VIEW, {}, NOW_US + 899 * SECOND_US)
    assert len(few["newest"]) < 10
    assert int(few["newest_height"]["height"].removesuffix("px")) < 440
    assert looked(path, VIEW, kept) == ({"tab": shown["tab"]}, kept)
    appender = open_appender(path)
    appender.append(Batch([reading(NOON_US + SECOND_US, 7.0)]))
    appender.close()
    newer, kept = looked(path, VIEW, kept, NOW_US + SECOND_US)
    assert [row["value"] for row in newer["newer"]["add"]] == ["7"]
    assert "newest" not in newer
    anew, _ = looked(path, VIEW, kept, NOW_US + newest.RENEWED_US)
    assert "newer" not in anew
    assert anew["newest"][0]["value"] == "7"


def test_another_view_gets_all_rows(path: Path) -> None:
    """Whatever was sent to the view before."""
    _, kept = looked(path, VIEW, {})
    shown, _ = looked(path, replace(VIEW, metrics=("temperature",)), kept)
    assert "newest" in shown


@pytest.mark.parametrize("tab", ["raw", "gaps", "topics"])
def test_other_tabs_are_looked_up_every_few_seconds(path: Path, tab: str) -> None:
    """Not at each tick, and only the one that is shown."""
    view = replace(VIEW, options={"tab": tab})
    shown, kept = looked(path, view, {})
    assert set(shown) == {"tab", tab}
    assert looked(path, view, kept)[0] == {"tab": shown["tab"]}
    assert tab in looked(path, view, kept, NOW_US + 5 * SECOND_US)[0]


def test_tab_that_is_none_is_the_first(path: Path) -> None:
    """An address can say anything."""
    view = replace(VIEW, options={"tab": "<b>"})
    assert "newest" in looked(path, view, {})[0]
