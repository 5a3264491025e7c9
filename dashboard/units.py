"""Which units take the prefixes of the SI, and which of them people expect."""

import math

PREFIXES = {
    -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P",
}  # fmt: skip
"""Powers of ten by their sign, as the SI brochure (9th edition, table 7) writes them."""

_SMALL = (-12, -9, -6, -3)
_LARGE = (3, 6, 9, 12, 15)
_BOTH = (*_SMALL, *_LARGE)
_FROM_WHOLE = 0.1
"""A tenth of a unit is still written in it: 0.5 A, but 50 mA."""

_TAKES = {
    **dict.fromkeys(("W", "VA", "var", "V", "A", "Hz", "J", "N", "Ω", "ohm", "Bq"), _BOTH),
    **dict.fromkeys(("B", "B/s", "bit", "bit/s", "bps", "Wh", "VAh", "varh", "Pa"), _LARGE),
    **dict.fromkeys(("m", "s", "S", "Sv", "Sv/h", "Gy", "Ah"), _SMALL),
    "g": (*_SMALL, 3),
    "F": (-12, -9, -6),  # a farad is never a thousandth; many write F for °F
}
"""What is not here is left alone: °C, %, ppm, what has a prefix already, and any other word."""


def prefix_power(size: float, unit: str) -> int:
    """The power of ten whose prefix a number of that size is written with; 0 for none.

    >>> prefix_power(1_234_567.0, "W"), prefix_power(0.0021, "A"), prefix_power(2e6, "B")
    (6, -3, 6)
    >>> prefix_power(1_234_567.0, "°C"), prefix_power(1e7, "kWh"), prefix_power(9e4, "s")
    (0, 0, 0)
    """
    powers = _TAKES.get(unit, ())
    if not powers or size == 0 or _FROM_WHOLE <= size < 1:
        return 0
    third = 3 * math.floor(math.log10(size) / 3)
    if third < 0:
        return third if third in powers else 0
    return max((power for power in powers if 0 < power <= third), default=0)
