"""One question per tick: one metric of many clients, on one grid of buckets."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.compare.lines import Asked, Line, grid_of, lines_of
from telemetry.interface import Snapshot
from telemetry.reading import RESERVED_CLIENTS, Kind, Latest
from telemetry.window import Window

MOST_CLIENTS = 24
"""So many clients are compared at once."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answer: what the page shows.

    Attributes:
        metric: What is compared; an empty string if there is nothing at all.
        metrics: How many clients have each metric that can be compared, by name.
        known: All clients that have this metric, in the order of their names.
        named: Those that were asked for, each once; none means all.
        lines: Those compared, in the order they were named in.
        lacking: Clients named that do not measure it.
        of_states: Clients named for which it is a state.
        span: The width of the rolling means; an empty string for the mean of each bucket.
        width_us: The width of a bucket.
        period: What the figures are of.
        exact: Whether these are of readings; otherwise of whole buckets.
    """

    metric: str
    metrics: Mapping[str, int]
    known: Sequence[str]
    named: Sequence[str]
    lines: Sequence[Line]
    lacking: Sequence[str]
    of_states: Sequence[str]
    span: str
    width_us: int
    period: Window
    exact: bool

    @property
    def left_out(self) -> int:
        """How many clients were meant and have the metric, but are not compared."""
        meant = set(self.named) & set(self.known) if self.named else self.known
        return len(meant) - len(self.lines)


def compare(snapshot: Snapshot, metric: str, clients: Sequence[str], asked: Asked) -> Comparison:
    """The comparison of a metric.

    Args:
        snapshot: The store.
        metric: Which; an empty string means the one that most clients have.
        clients: Whose; none means all that have it.
        asked: When, and how.

    Raises:
        StoreError: If the store cannot be read.
    """
    everything = snapshot.latest()
    metrics = _metrics(everything)
    metric = metric or min(metrics, key=lambda name: (-metrics[name], name), default="")
    having = {one.series.client: one for one in everything if one.series.metric == metric}
    known = [name for name in sorted(having, key=_order) if having[name].kind is not Kind.STATE]
    named = list(dict.fromkeys(clients))
    shown = [having[name] for name in named or known if name in having]
    shown = [one for one in shown if one.kind is not Kind.STATE][:MOST_CLIENTS]
    grid = grid_of(snapshot, [one.series for one in shown], asked)
    lines, period, exact = lines_of(snapshot, shown, grid)
    return Comparison(
        metric=metric,
        metrics=metrics,
        known=known,
        named=named,
        lines=lines,
        lacking=[name for name in named if name not in having],
        of_states=[name for name in named if name in having and name not in known],
        span=asked.span,
        width_us=grid.width_us,
        period=period,
        exact=exact,
    )


def _metrics(everything: Sequence[Latest]) -> Mapping[str, int]:
    """How many clients have each metric, by name; those that only Culex itself has come last."""
    numbers = [one.series for one in everything if one.kind is not Kind.STATE]
    counts = Counter(one.metric for one in numbers)
    others = {one.metric for one in numbers if one.client not in RESERVED_CLIENTS}
    return {
        name: counts[name] for name in sorted(counts, key=lambda name: (name not in others, name))
    }


def _order(client: str) -> tuple[bool, str]:
    return client in RESERVED_CLIENTS, client
