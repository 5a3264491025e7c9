"""How a benchmark is timed and printed: ratios against a baseline of the same run."""

import statistics
import time
from collections.abc import Callable

ROUNDS = 5


def seconds(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """How long each of several rounds took, the first left out as a warm-up."""
    times = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times[1:]


def compare(what: str, ours: list[float], baseline: str, theirs: list[float]) -> None:
    """Prints the ratio of the medians with the spread of both."""
    ratio = statistics.median(ours) / statistics.median(theirs)
    print(  # noqa: T201  # what a benchmark is for
        f"\n{what}: {_spread(ours)}; {baseline}: {_spread(theirs)}; ratio {ratio:.2f}"
    )


def _spread(times: list[float]) -> str:
    low, middle, high = min(times), statistics.median(times), max(times)
    return f"{middle * 1e3:.1f} ms ({low * 1e3:.1f}–{high * 1e3:.1f})"
