"""What the columns of a file are, by their names."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from telemetry.sources.names import client_fault, name_fault, read_unit, unguarded
from telemetry.sources.piece import Options, SourceError, Why
from telemetry.text import LONG_COLUMNS

DELIMITERS = (",", ";", "\t")
WORDS: Mapping[str, Sequence[str]] = {
    "time": ("time", "timestamp", "ts", "date", "datetime", "_time", "time_us", "time_ms"),
    "client": ("client", "device", "device_id", "client_id", "id"),
    "metric": ("metric", "name", "field", "sensor", "_field"),
    "value": ("value", "_value"),
    "text": ("text",),
    "unit": ("unit", "unit_of_measurement"),
    "received": ("received",),
    "delay_ms": ("delay_ms",),
    "flags": ("flags",),
}
"""The names by which a column is known, the surer first."""

_TITLE = re.compile(r"(.*\S)\s*\[([^\[\]]*)\]\s*", re.DOTALL)
_ENCLOSED = re.compile(r'"[^"]*"|\[[^\]]*\]')
_ROLLING = re.compile(r"(.+ )?(mean|coverage)_\d+[smhdw]")
_OURS = frozenset({"client", "metric", "time", "value", "text", "delay_ms", "flags"})


@dataclass(frozen=True, slots=True)
class Measured:
    """A column that is one metric: its place, and what is measured in which unit."""

    place: int
    metric: str
    unit: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column is what.

    Attributes:
        places: The place of what there is: `time`, `client`, `metric`, `value`, `unit` and more.
        client: Whose readings they are if no column says so.
        metric: What was measured if no column says so and there is one of values.
        measured: In a wide file, the columns that are metrics.
        own: Whether Culex wrote it itself, so that nothing in it is to be tidied up.
    """

    places: Mapping[str, int]
    client: str = ""
    metric: str = ""
    measured: Sequence[Measured] = field(default=())
    own: bool = False

    @property
    def is_wide(self) -> bool:
        """Whether each metric has a column of its own."""
        return bool(self.measured)


def sniff(header: str) -> str:
    """The delimiter of a header: the one that stands in it most often, brackets and quotes aside.

    >>> sniff("time;value [a, b]"), sniff("time")
    (';', ',')
    """
    plain = _ENCLOSED.sub("", header)
    return max(DELIMITERS, key=plain.count)


def recognise(titles: Sequence[str], options: Options, stem: str, known_time: str = "") -> Columns:
    """Which column of a file is what.

    Args:
        titles: The names of its columns.
        options: What the file does not say.
        stem: The name of the file without its ending: the client of a wide file without another.
        known_time: A column that is a time whatever its name.

    Raises:
        SourceError: If it cannot be told, in a sentence about the columns without the file's name.
    """
    places = _places(titles, options, known_time)
    own = tuple(titles[: len(LONG_COLUMNS)]) == LONG_COLUMNS or set(titles) >= _OURS
    if not _is_long(places, titles):
        client = "" if "client" in places else options.client or stem
        return _checked(Columns(_wide(places), client, "", _measured(titles, places)))
    client = options.client or ("" if "metric" in places else stem)
    if "client" not in places and not client:
        raise SourceError(
            f"no column says whose readings they are ({_shown(titles)}); "
            "name the client with --client"
        )
    client = "" if "client" in places else client
    metric = "" if "metric" in places else options.metric or titles[places["value"]].strip()
    return _checked(Columns(places, client, metric, (), own))


def _is_long(places: Mapping[str, int], titles: Sequence[str]) -> bool:
    """Whether each row is a reading; a metric may be called `value` beside others."""
    told = "client" in places or "metric" in places
    return "value" in places and (told or len(places) == len(titles))


def _wide(places: Mapping[str, int]) -> Mapping[str, int]:
    return {role: place for role, place in places.items() if role in ("time", "client")}


def _places(titles: Sequence[str], options: Options, known_time: str) -> dict[str, int]:
    plain = [title.strip().lower() for title in titles]
    names, places = dict(options.columns), {}
    for role, words in WORDS.items():
        named = names.get(role, "")
        if named:
            words = (named.strip().lower(),)
            if words[0] not in plain:
                raise SourceError(f"there is no column {named!r} ({_shown(titles)})")
        found = next((word for word in words if word in plain), None)
        if found is not None:
            _refuse_twice(plain, found)
            places[role] = plain.index(found)
    if "time" not in places and known_time:
        places["time"] = titles.index(known_time)
    if "time" not in places:
        raise SourceError(
            f"no column is the time ({_shown(titles)}); call it time, or say which one it is "
            "with --column time=NAME"
        )
    return places


def _refuse_twice(plain: Sequence[str], name: str) -> None:
    if plain.count(name) > 1:
        raise SourceError(f"two columns are called {name!r}; give each a name of its own")


def _shown(titles: Sequence[str]) -> str:
    shown = ", ".join(repr(title[:30]) for title in titles[:10])
    return f"there are {shown}{', …' if len(titles) > 10 else ''}"  # noqa: PLR2004  # as many as were shown


def _measured(titles: Sequence[str], places: Mapping[str, int]) -> Sequence[Measured]:
    """The columns that are metrics; rolling means beside them, as exports add them, are none."""
    taken = {places[role] for role in ("time", "client") if role in places}
    found = []
    for place, title in enumerate(titles):
        metric, unit = read_title(title)
        if place not in taken and metric and not _ROLLING.fullmatch(metric):
            found.append(Measured(place, metric, unit))
    if not found:
        raise SourceError(f"beside the time no column is a metric ({_shown(titles)})")
    _refuse_again(found)
    return found


def _refuse_again(measured: Sequence[Measured]) -> None:
    counts = Counter(one.metric for one in measured)
    metric, most = counts.most_common(1)[0]
    if most > 1:
        raise SourceError(f"two columns are called {metric!r}; give each a name of its own")


def read_title(title: str) -> tuple[str, str]:
    """The metric and the unit that a title names.

    >>> read_title("temperature [°C]"), read_title("state"), read_title("'=a [%]")
    (('temperature', '°C'), ('state', ''), ('=a', '%'))
    """
    title = unguarded(title.strip())
    match = _TITLE.fullmatch(title)
    return (match[1].strip(), read_unit(match[2])) if match else (title, "")


def _checked(columns: Columns) -> Columns:
    """The columns, if the names they give can be kept."""
    faults = [("client", columns.client, client_fault(columns.client))] if columns.client else []
    metrics = [columns.metric] if columns.metric else [one.metric for one in columns.measured]
    faults += [("metric", name, name_fault(name, Why.NO_METRIC)) for name in metrics]
    for what, name, why in faults:
        if why:
            raise SourceError(
                f"no {what} can be called {name[:60]!r} ({why.reason}); give it another name"
            )
    return columns
