"""What the client page answers beside its charts: facts, details, presence lane and tabs."""

from collections.abc import Mapping, Sequence
from functools import partial

from dash import Output, Patch

from dashboard import ids
from dashboard.asking import once
from dashboard.client import details, presence, tabs, why
from dashboard.client.facts import facts
from dashboard.page import Json, Look
from dashboard.people import may
from dashboard.presence import Stretch
from dashboard.question import Picture
from mosquitto.access_users import OPERATOR
from telemetry.window import SECOND_US

FACTS = "client-facts"
LANE = "client_lane"
LANE_WORDS = "client-lane-words"

OUTPUTS: Mapping[str, Output] = {
    "facts": Output(FACTS, "children"),
    "details": Output(details.SHOWN, "children"),
    "lane": Output(ids.chart(LANE), "figure"),
    "lane_words": Output(LANE_WORDS, "children"),
    **why.OUTPUTS,
    **tabs.OUTPUTS,
}

_STEPS = 400
"""The lane is drawn anew when it moved by that part of the window: two pixels or three."""

_OFTEN_US, _SELDOM_US = SECOND_US, 30 * SECOND_US


def answer(look: Look, picture: Picture) -> tuple[Json, Json]:
    """The new values of `OUTPUTS`, and what is to be remembered of them as `drawn`."""
    told, at_us = _told(look, picture)
    found: Json = {}
    if told is not None:
        found |= _lane(look, told)
        found["details"] = _details(look, picture.question.client)
        found["facts"] = facts(picture, told, look.snapshot.skews())
    shown, kept = tabs.answer(look, picture, told)
    reasons, known = why.answer(look, picture.question.client)
    drawn = {"lane_at": at_us, "lane": _lane_key(look), "tab": kept, "why": known}
    return found | reasons | shown, drawn


def _told(look: Look, picture: Picture) -> tuple[Sequence[Stretch] | None, int]:
    """The states of the client, and as of when; `None` if the browser has them well enough."""
    before, at_us = look.drawn, look.drawn.get("lane_at", 0)
    due_us = min(max(look.window.length_us // _STEPS, _OFTEN_US), _SELDOM_US)
    same = before.get("view") == look.view.query() and before.get("lane") == _lane_key(look)
    if same and look.now_us - at_us < due_us:
        return None, at_us
    told = partial(presence.told, look.snapshot, picture)
    return once(look.snapshot, "told", picture, told), look.now_us


def _lane_key(look: Look) -> str:
    """Equal where a lane can be patched."""
    return f"{look.style.zone} {look.style.dark} {look.style.touch}"


def _lane(look: Look, told: Sequence[Stretch]) -> Json:
    made = presence.figure(told, look.window, look.style, look.width)
    words = {"lane_words": presence.words(told)}
    if look.drawn.get("lane") != _lane_key(look):
        return {"lane": made} | words
    patch = Patch()
    for number, trace in enumerate(made["data"]):
        for name in presence.MOVING:
            patch["data"][number][name] = trace[name]
    patch["layout"]["xaxis"] = made["layout"]["xaxis"]
    return {"lane": patch} | words


def _details(look: Look, client: str) -> object:
    kept = look.engine.detail(client)
    return details.shown(kept, editable=may(OPERATOR))
