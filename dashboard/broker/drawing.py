"""When the charts are read again, and when they only move along."""

from dashboard.broker import charts
from dashboard.broker.panels import PANELS, PERIOD_US, read_lines, width_us
from dashboard.page import Json, Look
from dashboard.watching import blanks

_POINTS = 400


def drawing(look: Look, drawn: Json) -> Json:
    """The charts: read again when there can be new figures, else only moved along.

    Args:
        look: The look.
        drawn: What the browser has; it is brought up to date.
    """
    before = drawn.get("charts", {})
    view, style = look.view, look.style
    key = f"{view.start} {view.end} {style.zone} {style.dark} {style.touch} {look.width}"
    step_us = look.window.length_us // look.width
    if before.get("key") == key and not _is_due(before, look):
        if not view.follows or look.window.end_us - before["end_us"] < step_us:
            return {}
        drawn["charts"] = before | {"end_us": look.window.end_us}
        return {"figure": charts.moved(look.window, style, look.width)}
    sheet = read_sheet(look)
    drawn["charts"] = {
        "key": key,
        "read_us": look.now_us,
        "end_us": look.window.end_us,
        "bucket_us": sheet.bucket_us,
        "signature": sheet.signature,
    }
    same = before.get("signature") == sheet.signature
    return {
        "figure": charts.patched(sheet) if same else charts.figure(sheet),
        "height": {"height": f"{charts.height_px(look.width)}px"},
        "caption": charts.caption(sheet),
    }


def _is_due(before: Json, look: Look) -> bool:
    """Whether there can be figures that the browser does not have; clocks may be set back."""
    age_us = look.now_us - int(before["read_us"])
    return not 0 <= age_us < max(PERIOD_US, int(before["bucket_us"]))


def read_sheet(look: Look) -> charts.Sheet:
    """What the charts of a look show."""
    snapshot, window = look.snapshot, look.window
    bucket_us = width_us(snapshot, window, _POINTS)
    lines = [read_lines(snapshot, panel, window, bucket_us, look.now_us) for panel in PANELS]
    gone = blanks(snapshot, window, look.now_us)
    return charts.Sheet(
        lines, charts.notations(lines), bucket_us, gone, window, look.style, look.width
    )
