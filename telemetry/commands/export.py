"""`python -m telemetry export`."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from telemetry.clock import now_us
from telemetry.commands.store import asking
from telemetry.export import DEFAULT_START, ExportQuery, subject
from telemetry.fault import one_sentence
from telemetry.settings import load_settings
from telemetry.store.rendering import FORMATS, LAYOUTS, Shape, rendered
from telemetry.window import Window, parse_duration, parse_time, parse_zone


@click.command("export")
@click.argument("client")
@click.option("--metric", multiple=True, help="Only this metric; may repeat.")
@click.option("--start", default=DEFAULT_START, show_default=True, help="ISO 8601 or now-6h.")
@click.option("--end", default="now", show_default=True, help="ISO 8601 or now-6h; not included.")
@click.option("--every", default="", metavar="1m", help="Rows are means of such intervals.")
@click.option("--span", multiple=True, metavar="5m", help="Add such a rolling mean; may repeat.")
@click.option("--tz", default="UTC", show_default=True, help="Zone of the times, in and out.")
@click.option("--format", type=click.Choice(FORMATS), default="csv", show_default=True)
@click.option("--layout", type=click.Choice(LAYOUTS), default="long", show_default=True)
@click.option("--output", default="-", metavar="FILE", help="Where to; - is standard output.")
def export_command(output: str, **options: str | tuple[str, ...]) -> None:
    """Write the readings of CLIENT, oldest first.

    A FILE appears when it is whole; one that was interrupted keeps the name FILE.part.
    """
    with one_sentence(), asking(load_settings()) as querier:
        query, shape = _understood(options)
        content = rendered(querier, query, subject(querier, query), shape)
        if output == "-":
            for part in content:
                click.echo(part, nl=False)
        else:
            _write_file(Path(output), content)


def _understood(options: Mapping[str, object]) -> tuple[ExportQuery, Shape]:
    given = {name: str(value) for name, value in options.items() if isinstance(value, str)}
    many = {name: value for name, value in options.items() if isinstance(value, tuple)}
    zone, now = parse_zone(given["tz"]), now_us()
    window = Window(parse_time(given["start"], now, zone), parse_time(given["end"], now, zone))
    every_us = parse_duration(given["every"]) if given["every"] else 0
    query = ExportQuery(given["client"], window, many["metric"], many["span"], every_us)
    return query, Shape(given["format"], given["layout"], zone)  # type: ignore[arg-type]  # click has checked both


def _write_file(path: Path, content: Iterator[bytes]) -> None:
    unfinished = path.with_name(f"{path.name}.part")
    with unfinished.open("wb") as file:
        for part in content:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
