"""Three charts on one time axis: readings and statistic, what is left of it, and coverage."""

from collections.abc import Iterator

import numpy as np

from dashboard.charts import Trace, binary, inks, layout, moments, time_axis
from dashboard.compare.numbers import Points, broken
from dashboard.digits import Notation, notation
from dashboard.display import length_text, plot_text, span_text
from dashboard.page import Look
from dashboard.playground.question import Trial
from dashboard.playground.statistics import STATISTICS, unit_of
from dashboard.style import BAND_COLOUR, READING_COLOUR, mark_colours, span_colour
from dashboard.wall import axis_of
from telemetry.buckets import bucket_means
from telemetry.exact import Floats, Ints

HEIGHT_PX = 560
_DOMAINS = ((0.56, 1.0), (0.26, 0.49), (0.0, 0.19))
_HEAD_PX, _FOOT_PX = 58, 34
_PERCENT = 100
_NOTHING = np.zeros(0, dtype=np.int64), np.zeros(0)


def notation_of(found: Trial) -> Notation:
    """How the readings and what is in their unit are written."""
    frame = found.answer.frame
    columns = ["min", "max"] if found.answer.bucket_us else ["value"]
    numbers = frame[columns].to_numpy(dtype=np.float64).ravel()
    every = np.append(numbers, found.latest.value if isinstance(found.latest.value, float) else [])
    return notation(every[np.isfinite(every)], found.latest.unit)


def signature(found: Trial, look: Look) -> str:
    """Equal for charts of the same traces, so that one can be patched."""
    changes = bool(axis_of(look.window, look.style.zone).changes)
    written = notation_of(found)
    own = _own_notation(found)
    facts = (found.latest.series, found.asked.statistic, written, own, look.style, look.width)
    return str((*facts, changes, bool(found.answer.bucket_us)))


def _own_notation(found: Trial) -> Notation:
    """How the statistic is written where it has a chart of its own, else the residual."""
    numbers = second(found)
    unit = unit_of(found.asked.statistic, found.latest.unit)
    return notation(numbers[np.isfinite(numbers)], unit)


def second(found: Trial) -> Floats:
    """The second chart: readings less the statistic, or the statistic if it is no such quantity."""
    value, statistic = (found.line[name].to_numpy(dtype=np.float64) for name in _COLUMNS)
    return value - statistic if STATISTICS[found.asked.statistic].residual else statistic


_COLUMNS = ("value", "statistic")


def figure(found: Trial, look: Look) -> Trace:
    """The whole chart."""
    pairs = zip(_skeletons(found, look), arrays(found, look), strict=True)
    more: Trace = {
        "margin": {"t": _HEAD_PX, "b": _FOOT_PX},
        "legend": {"y": 1 + 26 / (HEIGHT_PX - _HEAD_PX - _FOOT_PX)},
        "yaxis": {
            "domain": list(_DOMAINS[0]), "nticks": 6,
            "tickformat": notation_of(found).axis_format,
        },
        "yaxis2": _y_axis(look, _DOMAINS[1], nticks=6) | {
            "zeroline": STATISTICS[found.asked.statistic].residual,
            "tickformat": _own_notation(found).axis_format,
        },
        "yaxis3": _y_axis(look, _DOMAINS[2], nticks=3) | {
            "range": [0, 108], "tickvals": [0, 50, 100], "ticktext": ["0 %", "50 %", "100 %"],
        },
        **moving(found, look),
    }  # fmt: skip
    data = [skeleton | filled for skeleton, filled in pairs]
    return {"data": data, "layout": layout(look.style, HEIGHT_PX, **more)}


def _y_axis(look: Look, domain: tuple[float, float], *, nticks: int) -> Trace:
    ink, grid = inks(look.style)
    return {
        "domain": list(domain), "anchor": "x", "fixedrange": True, "nticks": nticks,
        "gridcolor": grid, "zeroline": False, "zerolinecolor": ink, "automargin": True,
    }  # fmt: skip


def moving(found: Trial, look: Look) -> Trace:
    """The parts of the layout that change with time and span."""
    axis = time_axis(look.window, look.style, look.width) | {
        "anchor": "free",
        "position": 0,
        "domain": [0.0, 1.0],
    }
    return {"xaxis": axis, "annotations": list(_titles(found)), "shapes": [_least(look)]}


def _least(look: Look) -> Trace:
    """The coverage below which a statistic is uncertain."""
    level = look.style.coverage_minimum * _PERCENT
    colour, _ = mark_colours(dark=look.style.dark)
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y3", "y0": level, "y1": level,
        "line": {"color": colour, "width": 1.2, "dash": "dash"},
        "label": {"text": f"minimum {level:.0f} %", "textposition": "end", "yanchor": "top",
                  "font": {"size": 11, "color": colour}},
    }  # fmt: skip


def _titles(found: Trial) -> Iterator[Trace]:
    name = STATISTICS[found.asked.statistic]
    said = f"{span_text(found.asked.span)} {name.word}"
    bucket = found.answer.bucket_us
    detail = f" · {length_text(bucket)} buckets" if bucket else ""
    units = [notation_of(found).unit, _own_notation(found).unit, ""]
    heads = [found.latest.series.metric, "residual" if name.residual else said, "coverage"]
    tails = [detail, ": readings less their " + said if name.residual else "", ""]
    for head, tail, unit, domain in zip(heads, tails, units, _DOMAINS, strict=True):
        yield {
            "text": f"<b>{plot_text(head)}</b>{plot_text(tail + (f' [{unit}]' if unit else ''))}",
            "xref": "paper", "yref": "paper", "x": 0, "y": domain[1], "xanchor": "left",
            "yanchor": "bottom", "yshift": 3, "showarrow": False, "font": {"size": 12},
        }  # fmt: skip


def _skeletons(found: Trial, look: Look) -> Iterator[Trace]:
    """The traces without their data."""
    clock = ", %{text}" if axis_of(look.window, look.style.zone).changes else ""
    axis = {"type": "scatter", "mode": "lines", "xaxis": "x", "showlegend": False}
    yield from _upper(found, axis, clock)
    yield from _lower(found, axis, clock)


def _upper(found: Trial, axis: Trace, clock: str) -> Iterator[Trace]:
    """Readings and statistic."""
    written, name, strong = notation_of(found), STATISTICS[found.asked.statistic], span_colour(0)
    value = _format(written, written.value_format) + clock
    mean = _format(written, written.mean_format)
    yield axis | {
        "yaxis": "y", "name": "min–max", "hoverinfo": "skip", "line": {"width": 0},
        "fill": "toself", "fillcolor": BAND_COLOUR, "legendgroup": "raw",
    }  # fmt: skip
    yield axis | {
        "yaxis": "y", "name": "bucket mean" if found.answer.bucket_us else "reading",
        "legendgroup": "raw", "showlegend": True, "hovertemplate": value,
        "line": {"color": READING_COLOUR, "width": 1.2},
    }  # fmt: skip
    line = axis | {"yaxis": "y", "name": name.word, "legendgroup": "statistic"}
    yield line | {
        "line": {"color": strong, "width": 2.2}, "hovertemplate": mean + clock,
        "showlegend": name.residual,
    }  # fmt: skip
    yield line | {
        "name": f"{name.word}, uncertain", "line": {"color": strong, "width": 1.6, "dash": "dot"},
        "hovertemplate": f"{mean} (%{{customdata:.0%}} of readings){clock}",
    }  # fmt: skip


def _lower(found: Trial, axis: Trace, clock: str) -> Iterator[Trace]:
    """What is left, and coverage."""
    own, name = _own_notation(found), STATISTICS[found.asked.statistic]
    yield axis | {
        "yaxis": "y2", "name": "residual" if name.residual else name.word,
        "line": {"color": span_colour(1), "width": 1.4},
        "hovertemplate": _format(own, own.mean_format) + clock,
    }  # fmt: skip
    yield axis | {
        "yaxis": "y3", "name": "coverage", "fill": "tozeroy",
        "line": {"color": span_colour(2), "width": 1.4}, "fillcolor": "rgba(22,163,122,0.16)",
        "hovertemplate": f"%{{y:.0f}} %{clock}",
    }  # fmt: skip


def _format(written: Notation, wanted: str) -> str:
    return f"%{{y:{wanted}}}" + plot_text(f" {written.unit}" if written.unit else "")


def arrays(found: Trial, look: Look) -> Iterator[Trace]:
    """The data of the traces, in their order."""
    written, own = notation_of(found), _own_notation(found)
    frame, width_us = found.answer.frame, found.answer.bucket_us
    times = frame["time_us"].to_numpy(dtype=np.int64)
    if width_us:
        middles, means = times + width_us // 2, bucket_means(frame)
        low, high = (frame[name].to_numpy(dtype=np.float64) for name in ("min", "max"))
        yield _drawn(*_outline(middles, low, high, found.gap_us), written, look, said=False)
        yield _drawn(*_broken(middles, means, found.gap_us), written, look)
    else:
        yield _drawn(*_NOTHING, written, look, said=False)
        values = frame["value"].to_numpy(dtype=np.float64)
        yield _drawn(*_broken(times, values, found.gap_us), written, look)
    yield from _statistic(found, written, look)
    at_us = found.line["time_us"].to_numpy(dtype=np.int64)
    yield _drawn(*_broken(at_us, second(found), found.gap_us), own, look)
    grid = found.coverage
    share = grid["coverage"].to_numpy(dtype=np.float64) * _PERCENT
    yield _drawn(grid["time_us"].to_numpy(dtype=np.int64), share, Notation(), look)


def _statistic(found: Trial, written: Notation, look: Look) -> Iterator[Trace]:
    """The statistic where it is sure, and where it is not; nothing where it has its own chart."""
    at_us = found.line["time_us"].to_numpy(dtype=np.int64)
    values = found.line["statistic"].to_numpy(dtype=np.float64)
    share = found.line["coverage"].to_numpy(dtype=np.float64)
    if not STATISTICS[found.asked.statistic].residual:
        values = np.full(len(values), np.nan)
    unsure = share < look.style.coverage_minimum
    beside = unsure | np.append(unsure[1:], False) | np.append(False, unsure[:-1])
    if not len(unsure):
        beside = unsure
    sure = np.where(unsure, np.nan, values)
    yield _drawn(*_broken(at_us, sure, found.gap_us), written, look)
    some = np.where(beside, values, np.nan)
    shares = _broken(at_us, share, found.gap_us)[1]
    yield _drawn(*_broken(at_us, some, found.gap_us), written, look) | {
        "customdata": binary(shares)
    }


def _drawn(
    times_us: Ints, values: Floats, written: Notation, look: Look, *, said: bool = True
) -> Trace:
    axis = axis_of(look.window, look.style.zone)
    clocks = {"text": axis.clocks(times_us)} if said and axis.changes else {}
    x = moments(times_us, look.window, look.style)
    return clocks | {"x": x, "y": binary(written.scaled(values))}


def _broken(times_us: Ints, values: Floats, gap_us: float) -> tuple[Ints, Floats]:
    """Points with a missing one in each gap, so that no line is drawn across it."""
    whole = broken(Points(times_us, values, values), gap_us)
    return whole.times_us, whole.values


def _outline(times_us: Ints, low: Floats, high: Floats, gap_us: float) -> tuple[Ints, Floats]:
    """One closed outline for each stretch without a gap: there along the top, back below."""
    after = np.flatnonzero(np.diff(times_us) > gap_us) + 1
    stretches = [one for one in np.split(np.arange(len(times_us)), after) if len(one)]
    x = [part for s in stretches for part in (times_us[s], times_us[s][::-1], times_us[s][:1])]
    y = [part for s in stretches for part in (high[s], low[s][::-1], np.array([np.nan]))]
    return np.concatenate([_NOTHING[0], *x]), np.concatenate([_NOTHING[1], *y])
