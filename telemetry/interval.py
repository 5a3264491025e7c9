"""How often a series reports, learned from its readings."""

from collections.abc import Sequence

import numpy as np

GAPS = 64
"""How many of the newest gaps are looked at: enough to outvote outages, few enough to adapt."""


def expected_interval_us(times_us: Sequence[int]) -> int | None:
    """The median gap between readings, in µs; `None` with fewer than two instants.

    The median ignores outages and bursts as long as they are fewer than half of the gaps.
    Readings of the same instant count once.

    >>> expected_interval_us([0, 10, 20, 500, 510])
    10
    >>> expected_interval_us([7, 7]) is None
    True
    """
    gaps = np.diff(np.unique(np.asarray(times_us, dtype=np.int64)))
    return int(np.median(gaps)) if gaps.size else None
