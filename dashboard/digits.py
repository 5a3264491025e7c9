"""How the numbers of one metric are written: tile, table, hover and axis write them alike.

The rule. Readings have as many decimals as nearly all of them need (95 %), so that 21.5 does not
become 21.46 at the next tick and a column stands in line. That is at most six significant
digits of nearly the largest one, four where a prefix of the SI is written, and so many more that
their spread has three, up to seven: what a `float` of 32 bits is sure of. So 23.399999618 is 23.4.
A mean has one decimal more than its readings, within the same bound. What is not nearly 0.0001
or reaches 1e15 is written with a power of ten. Where one such reading is among smaller ones the
hover alone writes it in full (to 1e21), for a line has one format: 25000000000000000.0 there is
2.5e+16 on tile and in table. Halves are rounded away from 0, as d3 does it in the browser. A number
that rounds to 0 is 0, without a sign. Exports never do any of this.
"""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dashboard.units import PREFIXES, prefix_power

_NEARLY_ALL = 0.95
_AS_SENT, _WITH_PREFIX, _OF_SPREAD, _SURE = 6, 4, 3, 7
_LEAST, _MOST = 1e-4, 1e15
_NEWEST = 300
"""The last so many readings decide the decimals: the older ones only cost time."""

Numbers = TypeVar("Numbers", float, NDArray[np.float64])


@dataclass(frozen=True, slots=True)
class Notation:
    """How the numbers of a metric are written.

    Attributes:
        unit: The unit with its prefix, or an empty string.
        power: The power of ten that the prefix stands for; 0 without one.
        decimals: Behind the point of a reading.
        mean_decimals: Behind the point of a mean.
        scientific: Whether they are written with a power of ten instead.
    """

    unit: str = ""
    power: int = 0
    decimals: int = 0
    mean_decimals: int = 1
    scientific: bool = False

    def scaled(self, numbers: Numbers) -> Numbers:
        """The same in the unit with its prefix.

        >>> Notation("kW", power=3).scaled(1500.0), Notation("mA", power=-3).scaled(0.0021)
        (1.5, 2.1)
        """
        if self.power < 0:
            return numbers * 10.0**-self.power
        return numbers / 10.0**self.power

    def value(self, number: float) -> str:
        """A reading.

        >>> Notation(decimals=1).value(23.400000001), Notation(decimals=1).value(-0.04)
        ('23.4', '0.0')
        """
        return self._written(number, self.decimals)

    def mean(self, number: float) -> str:
        """A mean of readings.

        >>> Notation(decimals=1, mean_decimals=2).mean(21.125)
        '21.13'
        """
        return self._written(number, self.mean_decimals)

    @property
    def value_format(self) -> str:
        """The format by which d3 writes a scaled reading like `value`."""
        return ".5~e" if self.scientific else f".{self.decimals}f"

    @property
    def mean_format(self) -> str:
        """The format by which d3 writes a scaled mean like `mean`."""
        return ".5~e" if self.scientific else f".{self.mean_decimals}f"

    @property
    def axis_format(self) -> str:
        """The format by which d3 writes ticks, which may lie between two readings."""
        return ".5~e" if self.scientific else f".{self.decimals + 2}~f"

    def _written(self, number: float, decimals: int) -> str:
        exact = Decimal(self.scaled(number))
        if self.scientific or abs(exact) >= _MOST:
            return _power_text(exact)
        text = f"{exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"
        return text if text.strip("-0.") else text.removeprefix("-")


def _power_text(exact: Decimal) -> str:
    if not exact:
        return "0"
    rounded = Context(prec=_AS_SENT, rounding=ROUND_HALF_UP).create_decimal(exact)
    digits, power = f"{rounded:.{_AS_SENT - 1}e}".split("e")
    return f"{digits.rstrip('0').rstrip('.')}e{power}"


def notation(readings: NDArray[np.float64], unit: str) -> Notation:
    """The notation of a metric with these readings, by the rule above.

    Args:
        readings: Finite numbers, those of the picture, the newest last; there may be none.
        unit: As it was sent.

    >>> one = notation(np.array([1_234_567.0, 150_000.0]), "W")
    >>> one.value(1_234_567.0), one.unit
    ('1.235', 'MW')
    """
    sizes = np.abs(readings)
    size = _nearly_most(sizes) if len(sizes) else 0.0
    if size == 0:
        return Notation(unit)
    power = prefix_power(size, unit) if sizes.max() < _MOST else 0
    made = Notation(f"{PREFIXES[power]}{unit}", power)
    if not _LEAST <= made.scaled(size) < _MOST:
        return Notation(made.unit, power, scientific=True)
    ordinary = made.scaled(readings[sizes <= size])
    most = _most_decimals(ordinary, _WITH_PREFIX if power else _AS_SENT)
    decimals = _needed(ordinary[-_NEWEST:], most)
    return Notation(made.unit, power, decimals, min(decimals + 1, most))


def _nearly_most(sizes: NDArray[np.float64]) -> float:
    place = math.ceil(_NEARLY_ALL * (len(sizes) - 1))
    return float(np.partition(sizes, place)[place])


def _most_decimals(numbers: NDArray[np.float64], digits: int) -> int:
    first = _place(float(np.abs(numbers).max()))
    spread = float(np.ptp(numbers))
    varying = _OF_SPREAD - 1 - _place(spread) if spread else 0
    return max(0, min(max(digits - 1 - first, varying), _SURE - 1 - first))


def _place(size: float) -> int:
    """The power of ten of the first digit."""
    return math.floor(math.log10(size))


def _needed(numbers: NDArray[np.float64], most: int) -> int:
    """The fewest decimals that nearly all of the numbers, rounded to the most, are written with."""
    units = np.rint(numbers * 10.0**most)
    fits = (np.mean(units % 10.0 ** (most - few) == 0) >= _NEARLY_ALL for few in range(most))
    return next((few for few, enough in enumerate(fits) if enough), most)
