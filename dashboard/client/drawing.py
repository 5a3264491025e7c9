"""The figure with what is drawn beside the readings: limits, and the period before."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from dashboard import figures, tails
from dashboard.client import limits, overlay
from dashboard.display import plot_text
from dashboard.page import Json
from dashboard.question import Picture
from dashboard.style import Style

Before = Sequence[pd.DataFrame] | None
"""What `overlay.before` found of the period before, or `None` if nobody asked."""


def signature(picture: Picture, style: Style, *, with_before: bool) -> str:
    """Equal for pictures whose figures have the same traces, so that one can be patched."""
    return f"{figures.signature(picture, style)}\0{with_before}"


def figure(picture: Picture, before: Before, style: Style, token: str) -> Any:  # plotly is untyped
    """The whole figure; by its token, updates know it."""
    made = figures.figure(picture, style)
    if before is not None:
        traces = overlay.traces(picture, style)
        arrays = overlay.arrays(picture, before, style)
        made.add_traces([trace | data for trace, data in zip(traces, arrays, strict=True)])
    shapes = [*made.layout.shapes, *limits.shapes(picture.pictures, style)]
    made.update_layout(shapes=shapes, meta=_meta(picture) | {"token": token})
    return made


def update(picture: Picture, before: Before, style: Style, lacks: Json) -> Json:
    """What brings a figure with the same traces up to date, for assets/tail.js.

    Args:
        picture: What it is to show.
        before: As in `figure`.
        style: As there.
        lacks: What `tails.update` says of the traces of metrics.
    """
    made = dict(lacks)
    if before is not None:
        first = tails.trace_count(picture)
        added = enumerate(overlay.arrays(picture, before, style), first)
        made["whole"] = [*made["whole"], *([number, data] for number, data in added)]
    moving = figures.moving(picture, style)
    moving["shapes"] = [*moving["shapes"], *limits.shapes(picture.pictures, style)]
    return made | {"layout": moving}


def _meta(picture: Picture) -> Json:
    """What a picture that is kept as a file is called, and says of whom it is."""
    client = picture.question.client
    metrics = [one.latest.series.metric for one in picture.pictures]
    named = metrics if len(metrics) <= _NAMED else []
    return {"file": "-".join([client, *named]), "title": plot_text(client)}


_NAMED = 3
