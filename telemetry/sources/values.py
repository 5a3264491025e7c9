"""Values in a column of texts: numbers, words for yes and no, names of states.

The rules are those of the collector for a bare payload; only what is no plain number is looked at
one by one, and what is alike once.
"""

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from telemetry.literals import BOOLEANS, NUMERAL, state_fault
from telemetry.reading import Flag
from telemetry.sources.names import Faults, unguarded
from telemetry.sources.piece import Why

_NUMERAL = re.compile(NUMERAL)
_WITH_COMMA = r"^([+-]?[0-9]*),([0-9]+(?:[eE][+-]?[0-9]+)?)$"
_DIGITS = re.compile(r"[+-]?[0-9]+")
_WHY = {"": Why.NOTHING} | {why.reason: why for why in Why}
_EXACT = 2.0**53
_PROBED = 16


class Value(NamedTuple):
    """What one text means.

    Attributes:
        number: A number, or None.
        state: The name of a state, or None.
        is_boolean: Whether the number is yes or no.
        why: Why it is neither.
    """

    number: float | None = None
    state: str | None = None
    is_boolean: bool = False
    why: Why = Why.NOTHING


@dataclass(slots=True)
class Values:
    """What the texts of a column mean, row by row.

    Attributes:
        number: float64, null in a state.
        text: string, null in a number.
        faults: Why a row has no value.
        flags: Provenance.
        booleans: Which rows are yes or no; None if none is.
    """

    number: pa.Array
    text: pa.Array
    faults: Faults
    flags: npt.NDArray[np.int32]
    booleans: npt.NDArray[np.bool_] | None = field(default=None)


def patched(values: Values, rows: npt.NDArray[np.intp], others: Values) -> Values:
    """The values, with others in place of those of some rows."""
    count = len(values.faults)
    numbers = values.number.to_numpy(zero_copy_only=False).copy()
    missing = values.number.is_null().to_numpy(zero_copy_only=False).copy()
    numbers[rows] = others.number.to_numpy(zero_copy_only=False)
    missing[rows] = others.number.is_null().to_numpy(zero_copy_only=False)
    places = np.arange(count)
    places[rows] = count + np.arange(len(rows))
    text = pa.concat_arrays([values.text, others.text]).take(pa.array(places))
    faults, flags = values.faults.copy(), values.flags.copy()
    faults[rows], flags[rows] = others.faults, others.flags
    booleans = values.booleans
    if others.booleans is not None:
        booleans = np.zeros(count, np.bool_) if booleans is None else booleans.copy()
        booleans[rows] = others.booleans
    return Values(pa.array(numbers, pa.float64(), mask=missing), text, faults, flags, booleans)


def read_value(text: str) -> Value:
    """The value that a text means, spaces around it aside.

    >>> read_value(" 21.5 ").number, read_value("ON").is_boolean, read_value("heating").state
    (21.5, True, 'heating')
    >>> read_value("21,5").why.reason, read_value("0x1F").why.reason, read_value("NaN").why.reason
    ('decimal-comma', 'malformed-number', 'non-finite')
    """
    text = unguarded(text.strip())
    if _NUMERAL.fullmatch(text):
        number = float(text)
        return Value(number) if abs(number) < np.inf else Value(why=Why.NON_FINITE)
    if text.lower() in BOOLEANS:
        return Value(BOOLEANS[text.lower()], is_boolean=True)
    why = _WHY[state_fault(text)]
    return Value(why=why) if why else Value(state=text)


def read_values(cells: pa.Array, *, comma: bool = False) -> Values:
    """What the texts of a column mean; null means that there is none.

    Args:
        cells: Texts.
        comma: Whether a comma may stand for the decimal point.
    """
    numbers = _cast(cells) if not cells.null_count else None
    if numbers is None:
        cells = pc.utf8_trim_whitespace(cells.fill_null(""))
        if comma:
            cells = pc.replace_substring_regex(cells, _WITH_COMMA, r"\1.\2")
        numbers = _cast(cells)
    if numbers is not None:
        return _all_numbers(numbers, cells)
    plain = pc.match_substring_regex(cells, f"^(?:{NUMERAL})$")
    numbers = pc.if_else(plain, cells, None).cast(pa.float64())
    rest = np.flatnonzero(~plain.to_numpy(zero_copy_only=False))
    return patched(_all_numbers(numbers, cells), rest, _look_closer(cells.take(pa.array(rest))))


def _cast(cells: pa.Array) -> pa.Array | None:
    """As numbers, if all are; tried on a few first, because failing is slow."""
    try:
        cells.slice(0, _PROBED).cast(pa.float64())
        return cells.cast(pa.float64())
    except pa.ArrowInvalid:
        return None


def _all_numbers(numbers: pa.Array, cells: pa.Array) -> Values:
    """Each is a number or null; those that no double holds exactly are flagged."""
    rows = len(numbers)
    plain = numbers.fill_null(0.0).to_numpy()
    faults = np.where(np.isfinite(plain), 0, Why.NON_FINITE).astype(np.uint8)
    flags = np.zeros(rows, np.int32)
    for row in np.flatnonzero((np.abs(plain) >= _EXACT) & (faults == 0)):
        text = cells[int(row)].as_py()
        if _DIGITS.fullmatch(text) and int(text) != int(plain[row]):
            flags[row] = Flag.INEXACT
    return Values(numbers, pa.nulls(rows, pa.string()), faults, flags)


def _look_closer(cells: pa.Array) -> Values:
    """Texts that are no plain numbers; those alike are looked at once."""
    encoded = cells.dictionary_encode()
    codes = encoded.indices
    known = [read_value(text) for text in encoded.dictionary.to_pylist()]
    places = codes.to_numpy()
    return Values(
        pa.array([value.number for value in known], pa.float64()).take(codes),
        pa.array([value.state for value in known], pa.string()).take(codes),
        np.array([value.why for value in known], np.uint8)[places],
        np.zeros(len(cells), np.int32),
        np.array([value.is_boolean for value in known], np.bool_)[places],
    )
