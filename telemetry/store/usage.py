"""Usage: what the files of the history weigh, by whose rows are in them."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from telemetry.retention import Expiring, Retention
from telemetry.store.block import UNREADABLE
from telemetry.store.contents import rows_of
from telemetry.store.head import faults, open_reader, snapshot
from telemetry.store.layout import Block, Tier, blocks_folder
from telemetry.store.manifest import every_block
from telemetry.store.reserve import free_bytes
from telemetry.store.retaining import Over, Retain
from telemetry.usage import Rate, Share, Usage, forecast, shared
from telemetry.window import DAY_US, HOUR_US

_WEEKS_US = 28 * DAY_US
_KEPT_WEIGHTS = 20_000  # of files, which never change
_HEAD = """SELECT client, count(*) FROM reading JOIN series ON series.id = reading.series
    GROUP BY client"""


@dataclass(frozen=True, slots=True)
class _Weight:
    """What a file weighs, by client and by rule; `rows` are those of clients."""

    rows: Counter[str]
    clients: Counter[str]
    rules: Counter[int]


def weigh(path: Path, retention: Retention, now_us: int) -> Usage:
    """What the files of the store in that SQLite file weigh, and will weigh.

    Raises:
        StoreMissing: If there is no store yet; `StoreUnavailable` if it cannot be read now.
    """
    with faults(path), closing(open_reader(path)) as connection, snapshot(connection):
        readings = Counter(dict(connection.execute(_HEAD).fetchall()))
        blocks = every_block(connection)
    root, unread = blocks_folder(path), 0
    sizes: defaultdict[str, Counter[Tier]] = defaultdict(Counter)
    lately: defaultdict[tuple[Tier, int], float] = defaultdict(float)
    for block in blocks:
        try:
            weight = _weight(root, block, retention)
        except UNREADABLE:
            unread += block.size
            continue
        for client, size in weight.clients.items():
            sizes[client][block.tier] += size
        if block.tier is Tier.READINGS and block.through is None:
            readings += weight.rows
        for place, size in weight.rules.items():
            lately[block.tier, place] += size * _lately(block, now_us)
    shares = [
        Share(client, readings[client], (some[Tier.READINGS], some[Tier.MINUTES], some[Tier.HOURS]))
        for client in sorted(sizes.keys() | readings.keys())
        for some in [sizes[client]]
    ]
    rates = _rates(blocks, lately, retention, now_us)
    weighs = sum(block.size for block in blocks)
    return Usage(shares, unread, forecast(rates, weighs, free_bytes(path.parent)))


@lru_cache(maxsize=_KEPT_WEIGHTS)
def _weight(root: Path, block: Block, retention: Retention) -> _Weight:
    """What a file weighs.

    Raises:
        OSError, pa.ArrowException, ValueError: If it cannot be read.
    """
    rows: Counter[str] = Counter()
    rules: Counter[int] = Counter()
    for series, number in rows_of(root, block).items():
        rows[series.client] += number
        rules[retention.place(series)] += number
    sizes = Counter(shared(block.size, rows)), Counter(shared(block.size, rules))
    return _Weight(rows, *sizes)


def _lately(block: Block, now_us: int) -> float:
    """Which share of the times of a block lies in the last weeks."""
    start_us, end_us = max(block.first_us, now_us - _WEEKS_US), min(block.last_us, now_us)
    return max(0.0, (end_us - start_us + 1) / (block.last_us - block.first_us + 1))


def _rates(
    blocks: Sequence[Block],
    lately: Mapping[tuple[Tier, int], float],
    retention: Retention,
    now_us: int,
) -> list[Rate]:
    rates = []
    for tier in Tier:
        some = [one for one in blocks if one.tier is tier and one.first_us < now_us]
        if some:
            oldest_us = min(one.first_us for one in some)
            newest_us = min(max(one.last_us for one in some) + 1, now_us)
            span_us = max(newest_us - max(oldest_us, now_us - _WEEKS_US), HOUR_US)
            for place, rule in enumerate(retention.every):
                day_bytes = lately.get((tier, place), 0.0) * DAY_US / span_us
                keep_us = rule.keep[[*Tier].index(tier)]
                rates.append(Rate(day_bytes, now_us - oldest_us, keep_us))
    return rates


def expiring(path: Path, task: Retain) -> list[Expiring]:
    """What the task would leave out of the store in that SQLite file, by rule and tier.

    Raises:
        StoreMissing: If there is no store yet; `StoreUnavailable` if it cannot be read now.
    """
    found: dict[tuple[int, Tier], Expiring] = {}
    with faults(path), closing(open_reader(path)) as connection:
        for over in task.over(connection, blocks_folder(path)):
            for place, new in _parts(task.retention, over):
                key = (place, over.block.tier)
                found[key] = found[key].plus(new) if key in found else new
    return [found[key] for key in sorted(found)]


def _parts(retention: Retention, over: Over) -> Iterator[tuple[int, Expiring]]:
    """What is over in a block, by the place of its rule and by client."""
    block, rows = over.block, Counter[tuple[int, str]]()
    for series, number in over.rows.items():
        rows[retention.place(series), series.client] += number
    sizes = shared(block.size, {**rows, (-1, ""): block.rows - rows.total()})
    for (place, client), number in rows.items():
        yield (
            place,
            Expiring(
                retention.every[place], block.tier.value, number, sizes[place, client],
                block.first_us, block.last_us, frozenset([client]),
            ),
        )  # fmt: skip
