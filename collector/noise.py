"""Chance that repeats itself: noise as a pure function of a seed and the time."""

import hashlib
from functools import lru_cache

_SPAN = 2**64


@lru_cache(maxsize=4096)
def chance(seed: str, index: int) -> float:
    """A number in [0, 1) that looks random and is always the same for the same arguments."""
    digest = hashlib.blake2b(f"{seed}:{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _SPAN


def drift(seed: str, time_s: float, period_s: float) -> float:
    """A smooth wander in [-1, 1] that takes a new direction about once a period.

    Between random points on a grid of `period_s` it moves with slope 0 at each point (value
    noise, Perlin 1985), so its slope never exceeds 3 / `period_s`.
    """
    index, part = divmod(time_s / period_s, 1.0)
    before, after = chance(seed, int(index)), chance(seed, int(index) + 1)
    return 2 * (before + (after - before) * ease(part)) - 1


def ease(part: float) -> float:
    """From 0 to 1 as `part` goes from 0 to 1, level at both ends.

    >>> ease(0.0), ease(0.5), ease(1.0)
    (0.0, 0.5, 1.0)
    """
    return part * part * (3 - 2 * part)
