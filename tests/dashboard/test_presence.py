"""Presence over a window: what is told tiles it, is explained, and never mixes the three facts."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.lane import FINEST, lane_text, lanes
from dashboard.presence import (
    Blank,
    Evidence,
    Seen,
    State,
    Stretch,
    coarse,
    present,
    reach,
    stretches,
)
from dashboard.style import Style
from telemetry.presence import Connection, Ending, Event, EventKind
from telemetry.window import SECOND_US, Window, parse_zone

S = SECOND_US
WINDOW = Window(1000 * S, 2000 * S)
NOW = 5000 * S
STALE = 30 * S
STYLE = Style(parse_zone("UTC"), browsers=False, dark=False, touch=False, coverage_minimum=0.8)


def connection(since_s: int, until_s: int | None = None, reason: str = "") -> Connection:
    """A connection of the client from then until then."""
    until_us = None if until_s is None else until_s * S
    return Connection("tank", "tank", "192.0.2.7:41", "5", 60, True, since_s * S, until_us, reason)


def evidence(
    times_s: Sequence[int] = (),
    connections: Sequence[Connection] = (),
    events: Sequence[Event] = (),
    stale_us: float = STALE,
) -> Evidence:
    """What is known of the client."""
    return Evidence(connections, events, np.array(times_s, np.int64) * S, stale_us)


def told(known: Evidence, *blanks: Blank, now_us: int = NOW) -> list[tuple[int, int, State]]:
    """The stretches of the window, in seconds, without their words."""
    found = stretches(known, blanks, WINDOW, now_us)
    return [(one.start_us // S, one.end_us // S, one.state) for one in found]


EVERY_10_S = range(0, 3000, 10)


def test_client_that_is_connected_and_reports_is_connected() -> None:
    """One stretch, which says from where."""
    found = stretches(evidence(EVERY_10_S, [connection(900)]), [], WINDOW, NOW)
    assert found == [
        Stretch(WINDOW.start_us, WINDOW.end_us, State.CONNECTED, "connected from 192.0.2.7:41")
    ]


def test_silence_of_a_connected_client_is_the_whole_gap() -> None:
    """It begins with the last reading, as the gap in the charts, and ends with the next."""
    times = [one for one in EVERY_10_S if not 1200 < one < 1300]
    assert told(evidence(times, [connection(900)])) == [
        (1000, 1200, State.CONNECTED),
        (1200, 1300, State.SILENT),
        (1300, 2000, State.CONNECTED),
    ]


@pytest.mark.parametrize(("gap_s", "silent"), [(30, False), (31, True)])
def test_silence_is_longer_than_the_threshold(gap_s: int, silent: bool) -> None:
    """What may be chance is no silence."""
    times = [*range(900, 1201, 10), *range(1200 + gap_s, 2100, 10)]
    states = {one[2] for one in told(evidence(times, [connection(900)]))}
    assert (State.SILENT in states) == silent


def test_end_of_a_connection_is_told_with_its_reason() -> None:
    """While it is disconnected nothing is said of its data: it cannot send any."""
    times = [one for one in EVERY_10_S if not 1200 < one < 1300]
    parts = [connection(900, 1205, Ending.TIMED_OUT), connection(1295)]
    found = stretches(evidence(times, parts), [], WINDOW, NOW)
    assert [(one.start_us // S, one.end_us // S, one.words) for one in found[1:-1]] == [
        (1205, 1295, "disconnected: keep-alive exceeded")
    ]
    assert found[1].state is State.DISCONNECTED


def test_time_without_a_watching_collector_is_unknown_and_no_silence() -> None:
    """Nobody saw whether it was connected; a connection that is known to have gone on counts."""
    unseen = Blank(1200 * S, 1300 * S, "not seen", blind=False)
    ended = [connection(900, 1200, Ending.UNKNOWN), connection(1300)]
    assert told(evidence(EVERY_10_S, ended), unseen)[1] == (1200, 1300, State.UNKNOWN)
    assert told(evidence(EVERY_10_S, [connection(900)]), unseen) == [(1000, 2000, State.CONNECTED)]


def test_time_without_collector_is_the_collectors_and_not_the_clients() -> None:
    """Whatever else is known of that time; what follows is judged anew."""
    down = Blank(1200 * S, 1300 * S, "the collector was stopped", blind=True)
    times = [*range(900, 1201, 10), *range(1320, 2100, 10)]
    assert told(evidence(times, [connection(900)]), down) == [
        (1000, 1200, State.CONNECTED),
        (1200, 1300, State.COLLECTOR_DOWN),
        (1300, 2000, State.CONNECTED),
    ]


def test_client_whose_connection_went_on_unseen_is_judged_by_its_data() -> None:
    """After a restart of the collector nobody knows of the connection; readings still come."""
    known = evidence(range(900, 1501, 10), [connection(900, 1100, Ending.UNKNOWN)])
    assert told(known) == [
        (1000, 1100, State.CONNECTED),
        (1100, 1500, State.REPORTING),
        (1500, 2000, State.SILENT),
    ]


def test_client_that_is_spoken_for_is_judged_by_its_data() -> None:
    """It has no connection; that the log was not heard says nothing of it."""
    unseen = Blank(1200 * S, 1300 * S, "not seen", blind=False)
    assert told(evidence(range(900, 1501, 10)), unseen) == [
        (1000, 1500, State.REPORTING),
        (1500, 2000, State.SILENT),
    ]


def test_client_that_says_it_is_offline_is_disconnected_until_it_says_otherwise() -> None:
    """A gateway's word counts for who has no connection of its own, and for nobody else."""
    events = [
        Event(1200 * S, EventKind.OFFLINE, "tank"),
        Event(1300 * S, EventKind.ONLINE, "tank"),
        Event(1400 * S, EventKind.GAP, "tank"),
    ]
    assert told(evidence(EVERY_10_S, events=events))[1] == (1200, 1300, State.DISCONNECTED)
    assert told(evidence(EVERY_10_S, [connection(900)], events)) == [(1000, 2000, State.CONNECTED)]


def test_nothing_is_expected_of_an_irregular_client() -> None:
    """It is never silent: connected by the broker's word, or unknown."""
    known = evidence([1500], [connection(900)], stale_us=math.inf)
    assert told(known) == [(1000, 2000, State.CONNECTED)]
    assert told(evidence([1500], stale_us=math.inf)) == [(1000, 2000, State.UNKNOWN)]


def test_time_before_an_irregular_client_came_says_that_nothing_had() -> None:
    """Nobody can say how it reports before it was there."""
    known = replace(evidence([], [connection(1500)], stale_us=math.inf), began_us=1500 * S)
    before, after = stretches(known, [], WINDOW, NOW)
    assert (before.state, before.words) == (State.UNKNOWN, "nothing of it had come yet")
    assert after.state is State.CONNECTED


def test_time_before_anything_came_is_unknown_and_no_silence() -> None:
    """A new client was not silent before there was one."""
    known = replace(evidence(range(1500, 2100, 10)), began_us=1500 * S)
    assert told(known) == [(1000, 1500, State.UNKNOWN), (1500, 2000, State.REPORTING)]


def test_silence_that_is_too_short_yet_is_none() -> None:
    """The last readings of a client are recent until the threshold has passed."""
    for now_s, state in ((1520, State.REPORTING), (1540, State.SILENT)):
        found = told(evidence(range(900, 1501, 10)), now_us=now_s * S)
        assert (found[-1][1], found[-1][2]) == (now_s, state)


def test_buckets_with_readings_are_no_silence() -> None:
    """A bucket counts as heard up to its end."""
    known = Evidence([], [], np.arange(900, 2100, 60) * S, 30 * S, width_us=60 * S)
    assert {one[2] for one in told(known)} == {State.REPORTING}


def test_future_has_no_presence() -> None:
    """Of a window that begins after now nothing is told."""
    assert stretches(evidence(), [], WINDOW, WINDOW.start_us) == []


seconds = st.integers(0, 3000)
ends = st.sampled_from([Ending.UNKNOWN, Ending.CLOSED, Ending.TIMED_OUT])
connections = st.builds(
    lambda since, length, reason: connection(
        since, None if length is None else since + length, "" if length is None else reason
    ),
    seconds,
    st.none() | st.integers(0, 900),
    ends,
)
blanks = st.builds(
    lambda start, length, blind: Blank(start * S, (start + length) * S, "why", blind),
    seconds,
    st.integers(1, 600),
    st.booleans(),
)
events = st.builds(
    lambda at, kind: Event(at * S, kind, "tank"), seconds, st.sampled_from(list(EventKind))
)
known = st.builds(
    evidence,
    st.lists(seconds, max_size=60).map(sorted),
    st.lists(connections, max_size=6),
    st.lists(events, max_size=6),
    st.sampled_from([10 * S, 100 * S, 2000 * S, math.inf]),
)
windows = st.builds(
    lambda at, length: Window(at * S, (at + length) * S), seconds, st.integers(1, 3000)
)


@given(known, st.lists(blanks, max_size=4), windows, seconds)
def test_stretches_tile_the_window_and_are_explained(
    known: Evidence, blank: list[Blank], window: Window, now_s: int
) -> None:
    """From its start to its end or to now, without gap or overlap, each with words."""
    found = stretches(known, blank, window, now_s * S)
    end_us = min(window.end_us, now_s * S)
    if end_us <= window.start_us:
        assert found == []
        return
    assert (found[0].start_us, found[-1].end_us) == (window.start_us, end_us)
    assert all(before.end_us == after.start_us for before, after in pairwise(found))
    assert all(one.start_us < one.end_us and one.words for one in found)
    assert all(before[2:] != after[2:] for before, after in pairwise(found))


@given(known, st.lists(blanks, max_size=4), seconds)
def test_each_moment_has_the_state_that_the_facts_give_it(
    known: Evidence, blank: list[Blank], at_s: int
) -> None:
    """Blind is the collector's, an open connection the client's, whatever else there is."""
    at_us = at_s * S
    (state,) = {one.state for one in stretches(known, blank, Window(at_us, at_us + 1), NOW)}
    blind = any(one.blind and one.start_us <= at_us < one.end_us for one in blank)
    is_open = any(
        one.since_us <= at_us and (one.until_us is None or at_us < one.until_us)
        for one in known.connections
    )
    assert (state is State.COLLECTOR_DOWN) == blind
    if not blind:
        assert (state in {State.CONNECTED, State.SILENT}) or not is_open
        assert state is not State.CONNECTED or is_open
    if state is State.SILENT:
        before = known.times_us[known.times_us <= at_us][-1:]
        after = known.times_us[known.times_us > at_us][:1]
        assert all(later - earlier > known.stale_us for later in after for earlier in before)


@given(known, st.lists(blanks, max_size=4), seconds)
def test_present_is_the_last_stretch(known: Evidence, blank: list[Blank], now_s: int) -> None:
    """The fleet says of a client what its own page says of it."""
    now_us = now_s * S
    past = known.times_us[known.times_us < now_us]
    known = replace(known, times_us=past)
    last = stretches(known, blank, Window(now_us - 1, now_us), now_us)[-1]
    seen = Seen(known.connections, known.events, blank, bool(known.connections))
    newest_us = int(past[-1]) if len(past) else -100_000 * S
    state, words = present(seen, newest_us, known.stale_us, now_us - 1)
    assert state is last.state
    assert words == last.words


@given(known, st.lists(blanks, max_size=4), windows)
def test_part_of_a_window_is_told_as_in_the_whole(
    known: Evidence, blank: list[Blank], window: Window
) -> None:
    """Zooming in changes nothing that is said of a moment, if all evidence is there."""
    whole = stretches(known, blank, window, NOW)
    middle_us = (window.start_us + window.end_us) // 2
    part = stretches(known, blank, Window(middle_us, middle_us + 1), NOW)
    (same,) = [one for one in whole if one.start_us <= middle_us < one.end_us]
    assert part[0][2:] == same[2:]


@given(known, st.lists(blanks, max_size=4), windows, st.integers(1, 400))
def test_coarse_stretches_are_few_tile_the_same_and_hide_no_disconnection(
    known: Evidence, blank: list[Blank], window: Window, least_s: int
) -> None:
    """What is too short to be seen is taken together, the worst of it told."""
    found = stretches(known, blank, window, NOW)
    seen = coarse(found, least_s * S)
    assert (seen[0].start_us, seen[-1].end_us) == (found[0].start_us, found[-1].end_us)
    assert all(before.end_us == after.start_us for before, after in pairwise(seen))
    assert len(seen) <= 2 * window.length_us / (least_s * S) + 1
    bad = State.DISCONNECTED
    assert (bad in {one.state for one in found}) == (bad in {one.state for one in seen})


def test_evidence_is_asked_for_as_far_as_a_silence_may_reach() -> None:
    """Before and after the window, never beyond now, and at most a month."""
    assert reach(WINDOW, STALE, NOW) == Window(970 * S, 2030 * S)
    assert reach(WINDOW, STALE, 2010 * S) == Window(970 * S, 2010 * S)
    assert reach(WINDOW, math.inf, NOW) == WINDOW
    assert reach(WINDOW, 1e18, NOW).start_us == WINDOW.start_us - 30 * 86_400 * S


def test_lane_has_a_trace_for_each_state_and_words_beside_colours() -> None:
    """A patch finds each state in its place; hostile words are shown as text."""
    ended = [connection(900, 1300, "<b>%{x}"), connection(1600)]
    found = stretches(evidence(EVERY_10_S, ended), [], WINDOW, NOW)
    traces = lanes([found, found], WINDOW, STYLE, 80)
    assert [one["name"] for one in traces] == [
        "disconnected", "silent", "unknown", "collector down", "reporting", "connected",
    ]  # fmt: skip
    bad, good = traces[0], traces[-1]
    assert bad["base"] == ["1970-01-01T00:21:40.000"] * 2
    assert bad["customdata"] == [[1300_000, 1600_000, 0], [1300_000, 1600_000, 1]]
    assert "&lt;b&gt;%&#123;x}" in bad["hovertext"][0]
    assert (bad["marker"]["pattern"]["shape"], good["marker"]["pattern"]["shape"]) == ("x", "")
    assert len({one["marker"]["color"] for one in traces}) == len(State)


def test_lane_of_a_restless_client_is_bounded() -> None:
    """However often it came and went, a lane has no more bars than can be told apart."""
    parts = [connection(at, at + 1, Ending.CLOSED) for at in range(900, 2000, 2)]
    found = stretches(evidence((), parts, stale_us=math.inf), [], WINDOW, NOW)
    assert len(found) == 1000
    assert sum(len(one["text"]) for one in lanes([found], WINDOW, STYLE, 80)) <= 2 * FINEST + 1


def test_lane_is_told_in_words() -> None:
    """For who does not see it."""
    found = stretches(evidence(EVERY_10_S, [connection(900, 1880)]), [], WINDOW, NOW)
    assert lane_text(found) == "connected for 14 min, disconnected for 2 min"
