"""How long what was measured is kept: by tier, and by patterns of client and metric."""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from telemetry.reading import Series
from telemetry.window import DAY_US, TimeError, parse_duration

FOREVER = "forever"
_YEARS = re.compile(r"(\d{1,3})y", re.ASCII)


def parse_keep(text: str) -> int | None:
    """The microseconds for which something is kept; `None` for ever. A year has 365 days.

    >>> parse_keep("90d") == 90 * DAY_US, parse_keep("2y") == 730 * DAY_US, parse_keep("forever")
    (True, True, None)

    Raises:
        TimeError: If the text is none of these.
    """
    if text == FOREVER:
        return None
    match = _YEARS.fullmatch(text)
    if match is not None and int(match[1]):
        return int(match[1]) * 365 * DAY_US
    try:
        return parse_duration(text)
    except TimeError:
        raise TimeError(
            f"{text!r} is no time to keep something; write for example 90d, 2y or {FOREVER}"
        ) from None


class Keep(NamedTuple):
    """For how long, in microseconds; `None` is for ever.

    Attributes:
        readings_us: Readings as they arrived.
        minutes_us: Their rollups by the minute.
        hours_us: Their rollups by the hour.
    """

    readings_us: int | None = None
    minutes_us: int | None = None
    hours_us: int | None = None

    @property
    def outlives(self) -> bool:
        """Whether hours are kept as long as what they were made of at least."""
        if self.hours_us is None:
            return True
        made_of = (self.readings_us, self.minutes_us)
        return all(one is not None and one <= self.hours_us for one in made_of)


KEEP_FOREVER = Keep()


@dataclass(frozen=True, slots=True)
class Rule:
    """How long series are kept whose names fit two patterns, in which `*` and `?` stand for more.

    >>> Rule("demo-*", "*", Keep()).fits(Series("demo-solar", "power"))
    True
    """

    client: str
    metric: str
    keep: Keep

    def fits(self, series: Series) -> bool:
        """Whether it is meant for that series; upper and lower case differ."""
        return series.fits(self.client, self.metric)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long everything is kept: the first rule that fits a series decides, else `rest`."""

    rules: tuple[Rule, ...] = ()
    rest: Keep = KEEP_FOREVER

    @property
    def every(self) -> tuple[Rule, ...]:
        """All rules, the one for the rest last."""
        return (*self.rules, Rule("*", "*", self.rest))

    def place(self, series: Series) -> int:
        """Which of `every` decides of that series."""
        return next(place for place, rule in enumerate(self.every) if rule.fits(series))

    def limited(self, readings_us: int) -> "Retention":
        """The same, but with readings kept no longer than that, and nothing else shorter."""
        rules = tuple(replace(one, keep=_limited(one.keep, readings_us)) for one in self.rules)
        return Retention(rules, _limited(self.rest, readings_us))


@dataclass(frozen=True, slots=True)
class Expiring:
    """What of a tier is over by one rule.

    Attributes:
        rule: The rule.
        tier: `readings`, `rollup_1m` or `rollup_1h`.
        rows: How many readings or rollups.
        size: What they weigh, in bytes, by their share of the rows of each file.
        first_us: The oldest time in these files.
        last_us: The newest.
        clients: Whose they are.
    """

    rule: Rule
    tier: str
    rows: int
    size: int
    first_us: int
    last_us: int
    clients: frozenset[str]

    def plus(self, other: "Expiring") -> "Expiring":
        """Both, of one rule and tier."""
        return Expiring(
            self.rule,
            self.tier,
            self.rows + other.rows,
            self.size + other.size,
            min(self.first_us, other.first_us),
            max(self.last_us, other.last_us),
            self.clients | other.clients,
        )


def _limited(keep: Keep, readings_us: int) -> Keep:
    kept = readings_us if keep.readings_us is None else min(keep.readings_us, readings_us)
    return keep._replace(readings_us=kept)


KEEP_EVERYTHING = Retention()


@dataclass(frozen=True, slots=True)
class Policy:
    """What a store may hold.

    Attributes:
        retention: How long.
        low_disk_bytes: With less free on its disk, the oldest readings go before their time;
            0 if they do not.
    """

    retention: Retention = KEEP_EVERYTHING
    low_disk_bytes: int = 0


NO_POLICY = Policy()
"""Everything is kept until the disk is full."""
