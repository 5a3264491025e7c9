"""`python -m telemetry stats`."""

import click
import orjson

from telemetry.commands.store import asking
from telemetry.fault import one_sentence
from telemetry.interface import Querier
from telemetry.settings import Settings, load_settings
from telemetry.window import ALL_TIME, to_iso


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stats(*, as_json: bool) -> None:
    """Say how much there is, from when to when, and how large the files are."""
    with one_sentence():
        settings = load_settings()
        with asking(settings) as querier:
            found, sizes = _counted(querier), _sizes(settings)
    if as_json:
        click.echo(orjson.dumps(found | {"bytes": sizes}))
        return
    for name, value in (found | {name: f"{size} bytes" for name, size in sizes.items()}).items():
        click.echo(f"{name:<9} {'–' if value is None else value}")


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
