"""What a store weighs, by client and tier, and what it will weigh."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from telemetry.window import DAY_US

TIERS = ("readings", "minutes", "hours")
Key = TypeVar("Key", bound=Hashable)

_FAR_DAYS = 36_500


class Share(NamedTuple):
    """What is of one client.

    Attributes:
        client: Whose.
        readings: How many there are, sealed or not.
        sizes: What they weigh in files, in bytes, in the order of `TIERS`.
    """

    client: str
    readings: int
    sizes: tuple[int, int, int]


class Rate(NamedTuple):
    """How fast something grows.

    Attributes:
        day_bytes: What a day of it weighs.
        have_us: How far it reaches back by now.
        keep_us: How far it may; `None` is for ever.
    """

    day_bytes: float
    have_us: int
    keep_us: int | None

    def gain(self, days: int) -> float:
        """How many bytes more it weighs after so many days.

        >>> Rate(10.0, 2 * DAY_US, 5 * DAY_US).gain(2), Rate(10.0, 2 * DAY_US, 5 * DAY_US).gain(9)
        (20.0, 30.0)
        """
        if self.keep_us is None:
            return self.day_bytes * days
        reach_us = min(self.have_us + days * DAY_US, self.keep_us)
        return self.day_bytes * (reach_us - min(self.have_us, self.keep_us)) / DAY_US


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to come if it goes on as in the last weeks.

    Attributes:
        day_bytes: What a day weighs, all tiers together.
        full_days: After how many days the disk is full; `None` if it never is, or in a century.
        balance_bytes: What the files weigh when as much goes as comes, without what is kept for
            ever since then.
        forever_bytes: What a day of that weighs.
    """

    day_bytes: int
    full_days: int | None
    balance_bytes: int
    forever_bytes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store weighs.

    Attributes:
        shares: By client; they and `unread_bytes` together are the sizes of all files.
        unread_bytes: Of files that cannot be read.
        forecast: What is to come.
    """

    shares: Sequence[Share]
    unread_bytes: int
    forecast: Forecast


def forecast(rates: Sequence[Rate], now_bytes: int, free_bytes: int) -> Forecast:
    """What is to come, by what grows and what is free.

    >>> found = forecast([Rate(10.0, 0, 5 * DAY_US), Rate(1.0, 0, None)], 0, 57)
    >>> found.full_days, found.balance_bytes, found.forever_bytes
    (7, 50, 1)
    """

    def gain(days: int) -> float:
        return sum(one.gain(days) for one in rates)

    bounded = [one for one in rates if one.keep_us is not None]
    forever = sum(one.day_bytes for one in rates if one.keep_us is None)
    balance = now_bytes + sum(one.gain(_FAR_DAYS) for one in bounded)
    full = _first(lambda days: gain(days) >= free_bytes)
    return Forecast(
        round(sum(one.day_bytes for one in rates)), full, round(balance), round(forever)
    )


def _first(holds: Callable[[int], bool]) -> int | None:
    """The first number of days from which on it holds."""
    low, high = 0, _FAR_DAYS
    if not holds(high):
        return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def shared(size: int, rows: Mapping[Key, int]) -> dict[Key, int]:
    """A size by rows, in whole numbers that add up to it.

    >>> shared(10, {"a": 1, "b": 2})
    {'a': 3, 'b': 7}
    """
    every, so_far, given = sum(rows.values()), 0, 0
    found: dict[Key, int] = {}
    for key, number in rows.items():
        so_far += number
        found[key] = size * so_far // every - given
        given += found[key]
    return found
