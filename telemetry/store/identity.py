"""Identity: which readings are the same, found by sorting and not one by one."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from telemetry.exact import Floats, Ints

Bools = NDArray[np.bool_]


def arranged(keys: Ints, values: Floats, texts: Ints) -> tuple[Ints, Bools]:
    """The order of readings by identity, and which of them, in that order, come again.

    Of the same ones the first stays the first.

    Args:
        keys: What comes first: their times, or their series and times as one number.
        values: Their numbers; of texts NaN, which come after all numbers.
        texts: Their texts as numbers, -1 for those that are none.
    """
    again = np.zeros(len(keys), dtype=bool)
    if np.all(keys[1:] > keys[:-1]):
        return np.arange(len(keys)), again
    order = np.argsort(keys, kind="stable")
    some = keys[order]
    if not np.any(some[1:] == some[:-1]):
        return order, again
    numbers = np.where(np.isnan(values), np.inf, values)
    order = np.lexsort((texts, numbers, keys))
    again[1:] = True
    for column in (keys, numbers, texts):
        some = column[order]
        again[1:] &= some[1:] == some[:-1]
    return order, again


def known(found: pd.DataFrame, earlier: pd.DataFrame) -> Bools:
    """Which readings of a series are among earlier ones; both have `time_us, value, text`.

    Of the same reading twice in `found` the second counts as known.
    """
    both = (earlier, found)
    times, values, texts = (
        np.concatenate([frame[name].to_numpy() for frame in both])
        for name in ("time_us", "value", "text")
    )
    order, again = arranged(times, values, pd.factorize(texts)[0])
    seen = np.zeros(len(times), dtype=bool)
    seen[order] = again
    return seen[len(earlier) :]
