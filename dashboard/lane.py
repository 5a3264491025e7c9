"""Presence lanes: the states of clients over a time, as bars on the time axis of charts.

A state is told by colour (a palette for the colour-blind), by a pattern, and in words: in the bar
where there is room, and on hover. Bars stand where `dashboard.wall` puts instants.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from dashboard.charts import Trace, binary
from dashboard.display import age_text, clock_text, plot_text
from dashboard.presence import State, Stretch, coarse
from dashboard.style import FONTS, Style
from dashboard.wall import axis_of
from telemetry.window import Window

FINEST = 200
"""What is shorter than this part of the window is taken together with its neighbours."""

LOOKS = {
    State.DISCONNECTED: ("#d55e00", "x"),
    State.SILENT: ("#e69f00", "/"),
    State.UNKNOWN: ("#8a94a3", "."),
    State.COLLECTOR_DOWN: ("#7a5c99", "|"),
    State.REPORTING: ("#56b4e9", ""),
    State.CONNECTED: ("#0f9d74", ""),
}
"""Colour and pattern of each state, the same in both themes."""

_HEIGHT = 0.72  # of a row
_LETTER_PX = 7


def lanes(
    rows: Sequence[Sequence[Stretch]], window: Window, style: Style, letters: int
) -> list[Trace]:
    """Traces that draw the states of each row at the height of its number, from 0 on.

    Always one for each state, in the order of `State`, so that a patch can replace their data:
    `x`, `y`, `base`, `text` and `hovertext`. The layout needs `barmode="overlay"`, and the axis
    of x must be that of the charts; `customdata` holds start and end of each bar in milliseconds
    since 1970 UTC, and its row.

    Args:
        rows: The states of each client.
        window: Of when.
        style: How the reader wants it.
        letters: How many letters have room over the whole window.
    """
    found: dict[State, list[tuple[int, Stretch]]] = defaultdict(list)
    for row, told in enumerate(rows):
        for one in coarse(told, window.length_us // FINEST):
            found[one.state].append((row, one))
    letter_us = window.length_us / letters
    return [_trace(state, found[state], window, style, letter_us) for state in State]


def letters_in(width_px: int) -> int:
    """How many letters have room beside each other in so many pixels.

    >>> letters_in(700), letters_in(-80)
    (100, 1)
    """
    return max(1, width_px // _LETTER_PX)


def lane_text(told: Sequence[Stretch]) -> str:
    """For how long a client was in which state, in words, the longest first.

    >>> lane_text([Stretch(0, 90_000_000, State.CONNECTED, "")])
    'connected for 1 min'
    """
    lengths: dict[State, int] = defaultdict(int)
    for one in told:
        lengths[one.state] += one.end_us - one.start_us
    ordered = sorted(lengths.items(), key=lambda item: -item[1])
    return ", ".join(f"{state_words(state)} for {_about(us)}" for state, us in ordered)


def state_words(state: State) -> str:
    """What a state is called.

    >>> state_words(State.COLLECTOR_DOWN)
    'collector down'
    """
    return state.value.replace("-", " ")


def _trace(
    state: State,
    bars: Sequence[tuple[int, Stretch]],
    window: Window,
    style: Style,
    letter_us: float,
) -> Trace:
    colour, pattern = LOOKS[state]
    starts = np.array([one.start_us for _, one in bars], dtype=np.int64)
    lengths = np.array([one.end_us - one.start_us for _, one in bars], dtype=np.int64)
    return {
        "type": "bar", "orientation": "h", "name": state_words(state), "showlegend": False,
        "base": axis_of(window, style.zone).places(starts),
        "x": binary(lengths / 1000), "y": binary(np.array([row for row, _ in bars], np.float64)),
        "width": _HEIGHT, "offset": -_HEIGHT / 2,
        "customdata": [[one.start_us // 1000, one.end_us // 1000, row] for row, one in bars],
        "text": [_inside(one, letter_us) for _, one in bars],
        "textposition": "inside", "insidetextanchor": "middle", "constraintext": "none",
        "insidetextfont": {"family": FONTS, "size": 11, "color": "#0b1220"},
        "hovertext": [_hover(one, style) for _, one in bars],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "marker": {
            "color": colour, "line": {"color": colour, "width": 1},
            "pattern": {"shape": pattern, "fillmode": "overlay", "size": 6, "solidity": 0.25,
                        "fgcolor": "rgba(11,18,32,0.55)"},
        },
    }  # fmt: skip


def _inside(one: Stretch, letter_us: float) -> str:
    """The words that stand in a bar: all, or the state alone, or nothing, as there is room."""
    room = (one.end_us - one.start_us) / letter_us
    texts = (one.words, state_words(one.state))
    return plot_text(next((text for text in texts if len(text) <= room), ""))


def _hover(one: Stretch, style: Style) -> str:
    start, end = (clock_text(at, style.zone)[:19] for at in one[:2])
    until = end[11:] if end[:10] == start[:10] else end
    words = plot_text(one.words)
    return (
        f"<b>{state_words(one.state)}</b> for {_about(one.end_us - one.start_us)}"
        f"<br>{words}<br>{start} – {until}"
    )


def _about(length_us: int) -> str:
    """Half the words of an age.

    >>> _about(7_200_000_000)
    '2 h'
    """
    return age_text(length_us).removesuffix(" ago")
