"""Which readings are the same, against sets."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from telemetry.store.identity import arranged, known
from tests.telemetry.builders import steady

readings = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([0.0, -0.0, 1.5, 1e308, "a", "b", ""])),
    max_size=30,
)


def frame(some: list[tuple[int, float | str]]) -> pd.DataFrame:
    """As a head or a block gives them."""
    values = [np.nan if isinstance(value, str) else value for _, value in some]
    texts = [value if isinstance(value, str) else None for _, value in some]
    return pd.DataFrame(
        {
            "time_us": np.array([time_us for time_us, _ in some], np.int64),
            "value": np.array(values, np.float64),
            "text": pd.Series(texts, dtype=object),
        }
    )


@steady
@given(readings, readings)
def test_known_readings_are_those_that_came_before(
    earlier: list[tuple[int, float | str]], found: list[tuple[int, float | str]]
) -> None:
    """In the earlier ones, or among the found ones before."""
    seen = {*earlier}
    expected = []
    for one in found:
        expected.append(one in seen)
        seen.add(one)
    assert known(frame(found), frame(earlier)).tolist() == expected


@steady
@given(readings)
def test_arranged_readings_are_in_order_and_the_first_of_the_same_is_kept(
    some: list[tuple[int, float | str]],
) -> None:
    """By time, numbers before texts, each in order; the same ones as they came."""
    given_ = frame(some)
    texts = np.array([ord(t[0]) if t else -1 if t is None else 0 for t in given_["text"]], np.int64)
    order, again = arranged(given_["time_us"].to_numpy(), given_["value"].to_numpy(), texts)
    kept = [(some[place], place) for place in order[~again].tolist()]
    firsts = {one: place for place, one in reversed([*enumerate(some)])}
    expected = sorted(
        firsts.items(), key=lambda one: (one[0][0], isinstance(one[0][1], str), one[0][1])
    )
    assert kept == expected
    assert sorted(order.tolist()) == list(range(len(some)))
