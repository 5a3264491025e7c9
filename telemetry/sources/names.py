"""Names of clients and metrics in a column, and which of them cannot be one."""

import re
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from telemetry.reading import RESERVED_CLIENTS
from telemetry.sources.piece import NAME, Why

NAME_CHARACTERS = 256
UNIT_CHARACTERS = 32

Faults = npt.NDArray[np.uint8]
"""For each row a `Why`, or 0."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_GUARDED = re.compile(r"'[=+\-@\x00-\x1f]")


class Names(NamedTuple):
    """Names of rows, and which are none.

    Attributes:
        names: Dictionary-encoded.
        faults: Why a row's name is none.
    """

    names: pa.DictionaryArray
    faults: Faults


def unguarded(text: str) -> str:
    """The text without the `'` that exports put before what a spreadsheet takes for a formula.

    >>> unguarded("'=1+1"), unguarded("'tis"), unguarded("21 °C")
    ('=1+1', "'tis", '21 °C')
    """
    return text[1:] if _GUARDED.match(text) else text


def name_fault(name: str, missing: Why) -> Why:
    r"""Why a client or a metric cannot have that name, by the collector's rule.

    >>> name_fault("a b", Why.NO_CLIENT), name_fault("line\nbreak", Why.NO_CLIENT).reason
    (<Why.NOTHING: 0>, 'control-character')
    """
    if not name:
        return missing
    if len(name) > NAME_CHARACTERS:
        return Why.LONG_NAME
    return Why.CONTROL_CHARACTER if _CONTROL.search(name) else Why.NOTHING


def client_fault(name: str, *, own: bool = False) -> Why:
    """Why a client cannot have that name; our own files hold the clients that Culex is itself.

    >>> client_fault("broker").reason, client_fault("broker", own=True)
    ('reserved', <Why.NOTHING: 0>)
    """
    if name in RESERVED_CLIENTS and not own:
        return Why.RESERVED
    return name_fault(name, Why.NO_CLIENT)


def clean(name: str, *, own: bool) -> str:
    """A name without what the file put around it; our own files put no spaces there."""
    return unguarded(name if own else name.strip())


def read_clients(cells: pa.Array, *, own: bool) -> Names:
    """The clients in a column of names."""
    encoded = _encoded(cells)
    names = [clean(name, own=own) for name in encoded.dictionary.to_pylist()]
    return _checked(encoded, names, [client_fault(name, own=own) for name in names])


def read_metrics(cells: pa.Array, *, own: bool) -> Names:
    """The metrics in a column of names."""
    encoded = _encoded(cells)
    names = [clean(name, own=own) for name in encoded.dictionary.to_pylist()]
    return _checked(encoded, names, [name_fault(name, Why.NO_METRIC) for name in names])


def read_units(cells: pa.Array) -> pa.Array:
    """The units in a column; what can be none is empty."""
    encoded = _encoded(cells)
    units = [read_unit(unit) for unit in encoded.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(
        encoded.indices, pa.array(units, pa.string())
    ).dictionary_decode()


def read_unit(text: object) -> str:
    """The unit that a text is, or an empty string if it can be none.

    >>> read_unit(" °C "), read_unit(None), read_unit("x" * 40)
    ('°C', '', '')
    """
    unit = unguarded(text).strip() if isinstance(text, str) else ""
    return "" if len(unit) > UNIT_CHARACTERS or _CONTROL.search(unit) else unit


def same_name(name: str, rows: int) -> pa.DictionaryArray:
    """That name for so many rows."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(rows, np.int32)), pa.array([name], pa.string())
    )


def _encoded(cells: pa.Array) -> pa.DictionaryArray:
    if isinstance(cells, pa.ChunkedArray):
        cells = cells.unify_dictionaries().combine_chunks()
    if cells.type != NAME:
        cells = cells.cast(pa.string())
        cells = cells.dictionary_encode()
    if cells.null_count:
        cells = cells.dictionary_decode().fill_null("").dictionary_encode()
    return cells


def _checked(encoded: pa.DictionaryArray, names: list[str], faults: list[Why]) -> Names:
    if names != encoded.dictionary.to_pylist():
        encoded = pa.DictionaryArray.from_arrays(encoded.indices, pa.array(names, pa.string()))
    codes = np.array(faults or [Why.NOTHING], np.uint8)
    if not codes.any():
        return Names(encoded, np.zeros(len(encoded), np.uint8))
    return Names(encoded, codes[encoded.indices.to_numpy()])
