"""`python -m telemetry stats`."""

from collections.abc import Iterator
from dataclasses import asdict

import click
import orjson

from telemetry.clock import now_us
from telemetry.commands.store import asking
from telemetry.fault import one_sentence
from telemetry.interface import Querier
from telemetry.settings import Settings, load_settings
from telemetry.usage import TIERS, Forecast, Usage
from telemetry.window import ALL_TIME, to_iso


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stats(*, as_json: bool) -> None:
    """Say how much there is, from when to when, what it weighs, and what it will weigh.

    With --json, `usage` has the readings of each client and the bytes of its `readings`, `minutes`
    and `hours`; `forecast` has `day_bytes` (what a day weighs), `full_days` (until the disk is
    full, or null), `balance_bytes` (all files, when as much goes as comes) and `forever_bytes`
    (what a day adds to that for ever).
    """
    with one_sentence():
        settings = load_settings()
        with asking(settings) as querier:
            found, sizes = _counted(querier), _sizes(settings)
            usage = querier.usage(settings.policy.retention, now_us())
    if as_json:
        click.echo(orjson.dumps(found | {"bytes": sizes} | _figures(usage)))
        return
    for name, value in (found | {name: f"{size} bytes" for name, size in sizes.items()}).items():
        click.echo(f"{name:<9} {'–' if value is None else value}")
    click.echo("\n".join(["", *_table(usage), "", *_outlook(usage.forecast)]))


def _figures(usage: Usage) -> dict[str, object]:
    clients = [
        {"client": one.client, "readings": one.readings,
         "bytes": dict(zip(TIERS, one.sizes, strict=True))}
        for one in usage.shares
    ]  # fmt: skip
    return {
        "usage": clients,
        "unread_bytes": usage.unread_bytes,
        "forecast": asdict(usage.forecast),
    }


def _table(usage: Usage) -> Iterator[str]:
    """What is of whom, the heaviest first."""
    yield f"{'client':<24}{'readings':>14}" + "".join(f"{f'{one}, kB':>14}" for one in TIERS)
    for client, readings, sizes in sorted(usage.shares, key=lambda one: -sum(one.sizes)):
        yield f"{client:<24}{readings:>14}" + "".join(f"{size / 1000:>14.1f}" for size in sizes)
    if usage.unread_bytes:
        yield f"{'(cannot be read)':<24}{'':>14}{usage.unread_bytes / 1000:>14.1f}"


def _outlook(forecast: Forecast) -> Iterator[str]:
    """What is to come, in sentences."""
    days = forecast.full_days
    yield f"a day weighs {forecast.day_bytes / 1e6:.1f} MB, by the last four weeks"
    yield (
        "the disk is not full within a century"
        if days is None
        else (f"the disk is full in {days} days")
    )
    yield (
        f"when as much goes as comes, all files weigh {forecast.balance_bytes / 1e6:.1f} MB; "
        f"what is kept for ever adds {forecast.forever_bytes / 1e6:.2f} MB a day"
    )


def _counted(querier: Querier) -> dict[str, object]:
    """What there is, asked series by series: a long history takes a while."""
    with querier.snapshot() as snapshot:
        series = [latest.series for latest in snapshot.latest()]
    readings, extents = 0, []
    for one in series:
        with querier.snapshot() as snapshot:
            readings += snapshot.count(one, ALL_TIME, ALL_TIME.end_us)
            extents.append(snapshot.extent(one))
    first = min((extent.start_us for extent in extents if extent), default=None)
    last = max((extent.end_us - 1 for extent in extents if extent), default=None)
    return {
        "clients": len({one.client for one in series}),
        "series": len(series),
        "readings": readings,
        "first": None if first is None else to_iso(first),
        "last": None if last is None else to_iso(last),
    }


def _sizes(settings: Settings) -> dict[str, int]:
    store = settings.store_path
    return {
        "store": sum(path.stat().st_size for path in store.parent.glob(f"{store.name}*")),
        "blocks": sum(path.stat().st_size for path in store.parent.glob("blocks/r*/*/*.parquet")),
        "logs": sum(path.stat().st_size for path in settings.logs_dir.glob("*.log*")),
    }
