"""Export parts as wide CSV (RFC 4180) or JSON text, and how each of their cells is written."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo

import numpy as np
import orjson
import pandas as pd

from telemetry.reading import flag_names
from telemetry.window import to_iso

LONG_COLUMNS = ("time", "client", "metric", "value", "unit", "received", "flags")
_DANGEROUS = ("=", "+", "-", "@")
_FIRST_PRINTABLE = " "


def guard(text: str) -> str:
    """The text, with a `'` before it if a spreadsheet would take it for a formula.

    >>> guard("=1+1"), guard("21 °C")
    ("'=1+1", '21 °C')

    Source: OWASP, CSV Injection.
    """
    risky = text.startswith(_DANGEROUS) or (text != "" and text[0] < _FIRST_PRINTABLE)
    return f"'{text}" if risky else text


def number(value: float) -> str:
    """The shortest text that reads back as the same number; empty for NaN.

    >>> number(21.0), number(0.1), number(float("nan"))
    ('21', '0.1', '')
    """
    return "" if value != value else repr(value).removesuffix(".0")  # noqa: PLR0124  # NaN alone differs from itself


def csv_wide(
    parts: Iterable[pd.DataFrame], units: Mapping[str, str], names: Sequence[str], zone: tzinfo
) -> Iterator[str]:
    """CSV with one row per instant and one column per metric, its unit in the header.

    Readings of one metric at one instant with several values take a row each. The rolling means
    of a metric follow its values.
    """
    head = [_title(metric, unit, name) for metric, unit in units.items() for name in ("", *names)]
    yield _line(["time", *head])
    for part in parts:
        yield _lines(_wide_rows(part, list(units), names, zone))


def json_array(parts: Iterable[pd.DataFrame], names: Sequence[str], zone: tzinfo) -> Iterator[str]:
    """A JSON array with one object per reading, keyed by the columns of the long CSV."""
    yield "["
    comma = ""
    for part in parts:
        objects = [orjson.dumps(row).decode() for row in _objects(part, names, zone)]
        yield comma + ",\n".join(objects)
        comma = ",\n"
    yield "]\n"


def _objects(part: pd.DataFrame, names: Sequence[str], zone: tzinfo) -> Iterator[dict[str, object]]:
    keys = (*LONG_COLUMNS, *names)
    values = [
        text if text is not None else value
        for text, value in zip(part["text"], part["value"], strict=True)
    ]
    columns: list[Iterable[object]] = [_times(part["time_us"], zone), part["client"]]
    columns += [part["metric"], values, part["unit"], _received(part, zone)]
    columns += [[flag_names(flags) for flags in part["flags"]], *(part[name] for name in names)]
    for row in zip(*columns, strict=True):
        yield dict(zip(keys, row, strict=True))


def _wide_rows(
    part: pd.DataFrame, metrics: Sequence[str], names: Sequence[str], zone: tzinfo
) -> Iterator[tuple[str, ...]]:
    cells = part.assign(cell=_values(part), metric=part["metric"].astype(object))
    cells["again"] = cells.groupby(["time_us", "metric"]).cumcount()
    for name in names:
        cells[name] = [number(value) for value in cells[name]]
    columns = ["cell", *names]
    table = cells.pivot(index=["time_us", "again"], columns="metric", values=columns)
    wanted = [(column, metric) for metric in metrics for column in columns]
    table = table.reindex(columns=pd.MultiIndex.from_tuples(wanted)).astype(object)
    times = _times(table.index.get_level_values(0), zone)
    body = table.where(table.notna(), "").to_numpy()
    return ((time, *row) for time, row in zip(times, body, strict=True))


def _title(metric: str, unit: str, name: str) -> str:
    shown = f"[{unit}]" if unit and not name.startswith("coverage") else ""
    return guard(" ".join(part for part in (metric, name, shown) if part))


def _values(part: pd.DataFrame) -> list[str]:
    return [
        guard(text) if text is not None else number(value)
        for text, value in zip(part["text"], part["value"], strict=True)
    ]


def _received(part: pd.DataFrame, zone: tzinfo) -> list[str]:
    times = _times(part["received_us"], zone)
    return [text if us else "" for text, us in zip(times, part["received_us"], strict=True)]


def _times(times_us: "pd.Series | pd.Index", zone: tzinfo) -> list[str]:
    if zone is not UTC:
        return [to_iso(time_us, zone) for time_us in times_us]
    texts = np.datetime_as_string(times_us.to_numpy(dtype=np.int64).astype("datetime64[us]"))
    return [f"{text}Z" for text in texts]


def _line(cells: Sequence[str]) -> str:
    return _lines([cells])


def _lines(rows: Iterable[Sequence[str]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
