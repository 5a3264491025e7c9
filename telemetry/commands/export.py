"""`python -m telemetry export`."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from telemetry.address import MOST_SPANS, MOST_STATISTICS
from telemetry.clock import now_us
from telemetry.commands.store import asking
from telemetry.export import DEFAULT_START, ExportQuery
from telemetry.fault import one_sentence
from telemetry.provenance import Request
from telemetry.settings import load_settings
from telemetry.shape import FORMATS, LAYOUTS, Shape
from telemetry.store.rendering import Cited
from telemetry.window import Window, parse_duration, parse_time, parse_zone

_PRINTED = "-"


@click.command("export")
@click.argument("client")
@click.option("--metric", multiple=True, help="Only this metric; may repeat.")
@click.option("--start", default=DEFAULT_START, show_default=True, help="ISO 8601 or now-6h.")
@click.option("--end", default="now", show_default=True, help="ISO 8601 or now-6h; not included.")
@click.option("--every", default="", metavar="1m", help="Rows are means of such intervals.")
@click.option(
    "--span", multiple=True, metavar="5m", help=f"Add such a rolling mean; up to {MOST_SPANS}."
)
@click.option(
    "--statistic",
    multiple=True,
    metavar="median",
    help=f"Of each span, if not its mean; up to {MOST_STATISTICS}.",
)
@click.option("--tz", default="UTC", show_default=True, help="Zone of the times, in and out.")
@click.option("--format", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--layout", type=click.Choice(LAYOUTS), default="long", show_default=True)
@click.option("--output", default=_PRINTED, metavar="FILE", help="Where to; - is standard output.")
@click.option(
    "--manifest", default="", metavar="FILE",
    help="Where its manifest goes, if not beside the output as FILE.manifest.json.",
)  # fmt: skip
def export_command(output: str, manifest: str, **options: str | tuple[str, ...]) -> None:
    """Write the readings of CLIENT, oldest first.

    A FILE appears when it is whole; one that was interrupted keeps the name FILE.part. Its manifest
    appears after it, and says what is in it and how to get it again (docs/export.md).
    """
    beside = _manifest_path(output, manifest)
    with one_sentence(), asking(load_settings()) as querier:
        cited = Cited(querier, _understood(options))
        if output == _PRINTED:
            _remove(beside)
            for part in cited.content:
                click.echo(part, nl=False)
        else:
            unfinished = _unfinished(Path(output), cited.content)
            _remove(beside)
            unfinished.rename(output)
        if beside is not None:
            _unfinished(beside, [cited.manifest(now_us()).to_json()]).rename(beside)


def _manifest_path(output: str, manifest: str) -> Path | None:
    """Where the manifest goes; one of what is printed has to be asked for."""
    if manifest in (output, _PRINTED):
        raise click.UsageError("--manifest must name a file of its own")
    if output == _PRINTED:
        return Path(manifest) if manifest else None
    return Path(manifest or f"{output}.manifest.json")


def _remove(manifest: Path | None) -> None:
    """A manifest from before would be believed of what is written now."""
    if manifest is not None:
        manifest.unlink(missing_ok=True)


def _understood(options: Mapping[str, object]) -> Request:
    given = {name: str(value) for name, value in options.items() if isinstance(value, str)}
    many = {name: value for name, value in options.items() if isinstance(value, tuple)}
    zone, now = parse_zone(given["tz"]), now_us()
    window = Window(parse_time(given["start"], now, zone), parse_time(given["end"], now, zone))
    every_us = parse_duration(given["every"]) if given["every"] else 0
    which = (many["metric"], many["span"], every_us, many["statistic"])
    query = ExportQuery(given["client"], window, *which)
    shape = Shape(given["format"], given["layout"], zone)  # type: ignore[arg-type]  # click has checked both
    return Request(query, shape, given["start"], given["end"])


def _unfinished(path: Path, content: Iterable[bytes]) -> Path:
    """All of the content on disk, under the name that it has until it is renamed to `path`."""
    unfinished = path.with_name(f"{path.name}.part")
    with unfinished.open("wb") as file:
        for part in content:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    return unfinished
