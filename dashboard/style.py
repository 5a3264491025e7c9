"""How the reader wants pictures, and the colours they are drawn in."""

import zlib
from dataclasses import dataclass
from datetime import tzinfo

FONTS = "Inter, Inter Fallback, system-ui, sans-serif"
READING_COLOUR = "#8494a7"
BAND_COLOUR = "rgba(132,148,167,0.28)"
_SPAN_COLOURS = ("#3b8ede", "#e08e0b", "#16a37a", "#c86fa5", "#d5622b", "#7a7fe0")

CLIENT_COLOURS = (
    "#2f7fd1", "#d97706", "#128a63", "#b4559a", "#c2410c", "#6a6fd8", "#0e8fa8", "#8a7a1f",
)  # fmt: skip
"""Told apart by people who see colours differently, on light and on dark ground."""


@dataclass(frozen=True, slots=True)
class Style:
    """How the reader wants it.

    Attributes:
        zone: The zone of the time axis.
        browsers: Whether that is the browser's own zone.
        dark: Whether the page is dark.
        touch: Whether dragging scrolls the page instead of zooming.
        coverage_minimum: Means of less coverage are drawn as uncertain.
    """

    zone: tzinfo
    browsers: bool
    dark: bool
    touch: bool
    coverage_minimum: float


def mark_colours(*, dark: bool) -> tuple[str, str]:
    """Ink and ground of what marks a fault in the charts: the stylesheet's for what is bad."""
    return ("#ff9d66", "#3a2216") if dark else ("#b4430f", "#fdeee5")


def span_colour(position: int) -> str:
    """The colour of the rolling mean at that position of the chosen spans."""
    return _SPAN_COLOURS[position % len(_SPAN_COLOURS)]


def client_colour(client: str) -> str:
    """The colour of a client, the same on every page and every day."""
    place = zlib.crc32(client.encode(errors="surrogatepass"))
    return CLIENT_COLOURS[place % len(CLIENT_COLOURS)]
