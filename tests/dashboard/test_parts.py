"""Parts: every notice says what is so and what to do."""

from dataclasses import replace
from datetime import UTC
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard import parts
from dashboard.view import View, view_of_query
from telemetry.condition import Damage, WriterState
from telemetry.presence import Event, EventKind
from telemetry.reading import Flag, Series
from telemetry.window import Window
from tests.dashboard.pictures import (
    HOSTILE,
    HOUR_US,
    MINUTE_US,
    every,
    picture,
    states,
    texts,
)
from tests.telemetry.builders import NOON_US, SECOND_US, fill, reading

WELL = WriterState(beat_us=NOON_US, broker_since_us=NOON_US - HOUR_US, broker_up=True)


def said(component: object) -> str:
    """Everything a component says."""
    return " ".join(texts(component))


def test_first_run_says_how_to_begin() -> None:
    """Before the first reading a person learns how to add a client."""
    assert "mosquitto client add" in said(parts.first_run(None))


def test_notice_of_an_unknown_client_asks_to_choose_one(tmp_path: Path) -> None:
    """It names the client that has no readings."""
    shown = picture(fill(tmp_path / "culex.db", every(SECOND_US, 3)), client="nobody\u202e")
    assert "No readings of 'nobody<U+202E>'" in said(parts.notice(shown, View()))


def test_notice_of_an_empty_window_leads_to_the_last_reading(tmp_path: Path) -> None:
    """The link is a view of the same client, as wide, with its newest reading in the middle."""
    shown = picture(
        fill(tmp_path / "culex.db", [reading(NOON_US - 5 * HOUR_US, 1.0)]), client="boiler"
    )
    notice = parts.notice(shown, View())
    assert "5 h ago" in said(notice)
    assert notice is not None
    link = next(one for one in notice.children if getattr(one, "href", ""))
    view = view_of_query(urlsplit(link.href).query)
    assert view.client == "boiler"
    newest_us = NOON_US - 5 * HOUR_US
    half_us = 15 * MINUTE_US // 2
    assert view.window(NOON_US, UTC) == Window(newest_us - half_us, newest_us + half_us)


def test_notice_of_a_window_with_readings_is_none(tmp_path: Path) -> None:
    """With something to draw nothing stands in its place."""
    assert parts.notice(picture(fill(tmp_path / "culex.db", every(SECOND_US, 3))), View()) is None


@pytest.mark.parametrize(
    ("writer", "fault"),
    [
        (WriterState(), "has not started yet"),
        (replace(WELL, stopped=True), "make collector"),
        (replace(WELL, beat_us=NOON_US - 11 * SECOND_US), "fell silent 11 s ago"),
        (replace(WELL, store_reason="it is locked"), "Nothing can be stored: it is locked."),
        (replace(WELL, beat_us=NOON_US - 11 * SECOND_US, free_bytes=0), "is full (11 s ago)"),
        (replace(WELL, stopped=True, beat_us=0, free_bytes=0), "make collector"),
        (replace(WELL, broker_up=False, broker_reason="refused"), "refused (60 min ago)"),
        (replace(WELL, broker_up=False, broker_since_us=None), "broker link is down"),
        (replace(WELL, broker_reason="subscription refused: a/+"), "subscription refused: a/+"),
        (replace(WELL, heard_us=NOON_US - 46 * SECOND_US), "The broker fell silent 46 s ago"),
    ],
)
def test_banner_of_a_fault_says_which(writer: WriterState, fault: str) -> None:
    """One sentence in front of everything, and a badge that is not green."""
    assert fault in said(parts.banner(writer, (), None, NOON_US))
    assert any(badge.className == "fact bad" for badge in parts.status(writer, NOON_US))


@pytest.mark.parametrize(
    ("event", "said_of_it"),
    [
        (Event(NOON_US - MINUTE_US, EventKind.LIMITED, "a\u202e", "too-many-messages: b'' on 't'"),
         "Client 'a<U+202E>' sent more messages than one may (1 min ago)."),
        (Event(NOON_US, EventKind.LIMITED, "", "too-many-series: b'' on 't'"),
         "raise client_series or series in culex.toml"),
    ],
)  # fmt: skip
def test_banner_of_a_client_that_is_limited_names_it(event: Event, said_of_it: str) -> None:
    """What is lost is said in front of everything; a fault of our own comes first."""
    assert said_of_it in said(parts.banner(WELL, (), event, NOON_US))
    stopped = replace(WELL, stopped=True)
    assert "make collector" in said(parts.banner(stopped, (), event, NOON_US))


def test_banner_of_a_damaged_file_names_it() -> None:
    """Which file, why, and what to do; how many more there are."""
    damage = [Damage("readings/day=2026-11-23/a.parquet", "it is missing")] * 3
    text = said(parts.banner(WELL, damage, None, NOON_US))
    assert "data/blocks/readings/day=2026-11-23/a.parquet (and 2 more): it is missing." in text
    assert "from a backup" in text


def test_banner_of_health_is_none() -> None:
    """If all is well nothing is said, up to ten seconds of silence."""
    for age_us in (0, 10 * SECOND_US):
        writer = replace(WELL, beat_us=NOON_US - age_us, heard_us=NOON_US - 4 * age_us)
        assert parts.banner(writer, (), None, NOON_US) is None
        assert [badge.className for badge in parts.status(writer, NOON_US)] == ["fact ok"] * 2


def test_broker_link_of_a_silent_collector_is_unknown() -> None:
    """What it last said is not held to be true any more."""
    silent = replace(WELL, beat_us=NOON_US - HOUR_US)
    assert "unknown" in said(parts.status(silent, NOON_US)[1])
    assert "down" in said(parts.status(replace(WELL, broker_up=False), NOON_US)[1])


def test_export_link_asks_for_exactly_what_is_shown(tmp_path: Path) -> None:
    """Client, window, spans and zone; metrics only if some are left out."""
    path = fill(tmp_path / "culex.db", [*every(SECOND_US, 3), *states([(-1, "on")])])
    everything = parse_qs(urlsplit(parts.export_link(picture(path), "")).query)
    assert everything == {
        "client": ["boiler"],
        "start": ["2026-11-23T11:45:00.000000Z"],
        "end": ["2026-11-23T12:00:00.000000Z"],
        "span": ["1m", "5m", "30m"],
        "format": ["csv"],
    }
    some = parts.export_link(picture(path, metrics=("mode",)), "Europe/Berlin")
    assert parse_qs(urlsplit(some).query)["metric"] == ["mode"]
    assert parse_qs(urlsplit(some).query)["tz"] == ["Europe/Berlin"]


def test_export_link_of_a_hostile_client_is_one_argument(tmp_path: Path) -> None:
    """No name breaks out of the address."""
    name = "a/b #1 <b>&format=json"
    path = fill(tmp_path / "culex.db", [reading(NOON_US - 1, series=Series(name, "m"))])
    query = parse_qs(urlsplit(parts.export_link(picture(path, client=name), "")).query)
    assert (query["client"], query["format"]) == ([name], ["csv"])


def test_caption_says_what_buckets_leave_out(tmp_path: Path) -> None:
    """Raw readings, buckets, and spans that are narrower than a bucket."""
    path = fill(tmp_path / "culex.db", every(SECOND_US, 8000))
    assert "Every reading is shown" in parts.caption(picture(path))
    hours = Window(NOON_US - 2 * HOUR_US, NOON_US)
    assert "20 s buckets" in parts.caption(picture(path, window=hours))
    days = Window(NOON_US - 2400 * HOUR_US, NOON_US)
    assert "wider than 1 min, 5 min, 30 min" in parts.caption(picture(path, window=days))


def test_clients_to_choose_from_keep_their_names_as_values(tmp_path: Path) -> None:
    """What is shown is printable, what is chosen is the name itself; simulated ones say so."""
    one = reading(NOON_US - 1, series=Series(HOSTILE, "m"), flags=Flag.SIMULATED)
    (option,) = parts.client_options(picture(fill(tmp_path / "culex.db", [one]), client=HOSTILE))
    assert (option["value"], option["search"]) == (HOSTILE, HOSTILE)
    assert "\u202e" not in said(option["label"])
    assert "simulated" in said(option["label"])
    assert parts.metric_options([HOSTILE])[0]["value"] == HOSTILE


def test_time_label_is_short() -> None:
    """A range that follows says how long; a fixed one names a day once."""
    ends = ("2026-11-23 11:00:00", "2026-11-23 12:00:00")
    assert parts.time_label("now-6h", "now", ends) == "Last 6 h"
    assert parts.time_label(ends[0], ends[1], ends) == "2026-11-23 11:00 – 12:00"
    over = ("2026-11-22 23:00:00", "2026-11-23 01:00:00")
    assert parts.time_label("a", "b", over) == "2026-11-22 23:00 – 2026-11-23 01:00"


def test_refusal_leads_back_to_a_view_that_works() -> None:
    """The reason, and a way on."""
    refusal = parts.refused("start must be before end", "7f3a")
    assert "start must be before end." in said(refusal)
    assert "7f3a" in said(refusal)
    link = next(one for one in refusal.children if getattr(one, "href", ""))
    assert view_of_query(urlsplit(link.href).query) == View()
