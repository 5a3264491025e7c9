"""What the playground shows, in one sentence, and what it cannot tell."""

from collections.abc import Iterator

import numpy as np

from dashboard.compare.numbers import gaps
from dashboard.digits import Notation
from dashboard.display import NOTHING, count_text, length_text, printable, span_text
from dashboard.playground.figure import notation_of, second
from dashboard.playground.question import Trial
from dashboard.playground.statistics import STATISTICS
from telemetry.exact import Floats
from telemetry.window import Window


def sentence(found: Trial) -> str:
    """What is shown, such as `5 min mean of 300 readings, 12 gaps, coverage 60 % to 100 %, …`."""
    name = STATISTICS[found.asked.statistic]
    width_us = found.answer.bucket_us
    bucket = f" in {length_text(width_us)} buckets" if width_us else ""
    count = count_text(found.count)
    facts = [
        f"{span_text(found.asked.span)} {name.word} of {count} readings{bucket}",
        _gaps(found),
        f"coverage {_coverage(found)}",
        *_residual(found, notation_of(found)),
    ]
    return ", ".join(facts)


def _gaps(found: Trial) -> str:
    window, width_us = found.asked.window, found.answer.bucket_us
    period = Window(window.start_us, found.asked.instant_us + 1)
    times = found.answer.frame["time_us"].to_numpy(dtype=np.int64)
    ends = times + max(width_us - 1, 0)
    count = gaps(ends, period, found.gap_us, width_us)
    return f"{count} gap{'' if count == 1 else 's'}"


def _coverage(found: Trial) -> str:
    shares = found.coverage["coverage"].to_numpy(dtype=np.float64)
    known = shares[np.isfinite(shares)]
    if not len(known):
        return "unknown"
    low, high = (f"{share:.0%}".replace("%", " %") for share in (known.min(), known.max()))
    return low if low == high else f"{low} to {high}"


def _residual(found: Trial, written: Notation) -> Iterator[str]:
    if STATISTICS[found.asked.statistic].residual:
        unit = f" {printable(written.unit)}" if written.unit else ""
        spread = spread_of(second(found))
        text = NOTHING if np.isnan(spread) else f"{written.mean(spread)}{unit}"
        yield f"residual std {text}"


def spread_of(residual: Floats) -> float:
    """The standard deviation of residuals, with one less than their number; NaN below two."""
    known = residual[np.isfinite(residual)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else float("nan")


def limits(found: Trial) -> str:
    """What cannot be told, and what to do; an empty string if all can."""
    said = []
    if found.too_many:
        word = STATISTICS[found.asked.statistic].word
        said.append(f"A {word} needs each reading, and there are too many: choose a shorter time.")
    if not found.exact:
        bucket, span = length_text(found.answer.bucket_us), span_text(found.asked.span)
        said.append(f"Buckets of {bucket} are wider than {span}: choose a shorter time to see it.")
    if found.cadence is None or not found.cadence.is_regular:
        said.append("Its readings come at no regular interval: nobody can tell what is missing.")
    return " ".join(said)
