"""Everything a query names, in parts of bounded size, through snapshots that last not long."""

from collections.abc import Iterator, Sequence

from telemetry.interface import Answer, Chunk, Querier, StreamQuery
from telemetry.lookback import Lookback
from telemetry.reading import Series
from telemetry.window import Window

_AT_ONCE = 200
"""Series of one snapshot: a client may have 10 000, and a snapshot has but seconds."""


def chunks(querier: Querier, query: StreamQuery) -> Iterator[Chunk]:
    """As `telemetry.interface.Querier.stream`.

    A long export holds nothing back from the writer. The look-back is read once, in such parts
    too, and carried along.
    """
    lookback = Lookback(query.lookback_us)
    start_us = query.window.start_us - query.lookback_us
    while start_us < query.window.end_us:
        chunk = _chunk(querier, query, start_us)
        lookback.take(chunk.window, chunk.answers)
        if start_us >= query.window.start_us:
            yield Chunk(chunk.window, lookback.widened(chunk.window, chunk.answers))
        start_us = chunk.window.end_us


def _chunk(querier: Querier, query: StreamQuery, start_us: int) -> Chunk:
    """A part that begins there: of the window, or of the look-back before it."""
    begun = start_us >= query.window.start_us
    end_us = query.window.end_us if begun else query.window.start_us
    groups = [*_groups(querier, query)]
    rows = max(1, query.chunk_rows // max(1, sum(map(len, groups))))
    ends: list[int | None] = []
    for some in groups:
        with querier.snapshot() as snapshot:
            ends += [snapshot.boundary(one, start_us, rows) for one in some]
    first_end_us = min((end for end in ends if end is not None), default=end_us)
    window = Window(start_us, min(max(first_end_us, start_us + 1), end_us))
    answers: list[Answer] = []
    for some in groups:
        with querier.snapshot() as snapshot:
            answers += [snapshot.read(one, window) for one in some]
    return Chunk(window, answers)


def _groups(querier: Querier, query: StreamQuery) -> Iterator[Sequence[Series]]:
    """The series of the query, by metric, so many together as one snapshot can take."""
    metrics = frozenset(query.metrics)
    with querier.snapshot() as snapshot:
        every = snapshot.latest(query.client)
    series = [one.series for one in every if not metrics or one.series.metric in metrics]
    for start in range(0, len(series), _AT_ONCE):
        yield series[start : start + _AT_ONCE]
