"""`python -m telemetry import`."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import orjson

from mosquitto.access_change import note_command
from telemetry.clock import now_us
from telemetry.commands.store import done
from telemetry.fault import one_sentence
from telemetry.job import Import, Result, Tell, silent
from telemetry.settings import load_settings
from telemetry.sources import ROLES, Form, Precision
from telemetry.window import parse_duration, parse_zone

_WIDTH = 50


def _pairs(
    _context: click.Context, _option: click.Parameter, values: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """`time=NAME` taken apart."""
    found = []
    for value in values:
        role, _, name = value.partition("=")
        if role not in ROLES or not name:
            raise click.BadParameter(f"{value!r} is not like time=NAME; say {', '.join(ROLES)}")
        found.append((role, name))
    return tuple(found)


@click.command("import")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--client", default="", help="Whose readings they are, if the file does not say.")
@click.option("--metric", default="", help="What was measured, if the file does not say.")
@click.option(
    "--column", "columns", multiple=True, callback=_pairs, metavar="time=NAME",
    help=f"Which column is what, if its name does not tell: {', '.join(ROLES)}; may repeat.",
)  # fmt: skip
@click.option(
    "--tz", "zone", default="", help="Zone of times without an offset; else culex.toml's."
)
@click.option(
    "--format", "form", default="", type=click.Choice(["", *(str(form) for form in Form)]),
    metavar="|".join(Form), help="What the file is, if that cannot be seen.",
)  # fmt: skip
@click.option(
    "--client-tag", default="", metavar="TAG", help="Line protocol: which tag is the client."
)
@click.option(
    "--precision", default=Precision.NS.value, show_default=True,
    type=click.Choice([str(unit) for unit in Precision]), help="Line protocol: unit of its times.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def import_command(
    paths: Sequence[str], *, columns: tuple[tuple[str, str], ...], as_json: bool, **hints: str
) -> None:
    """Take in the readings of files, or of all files in a folder.

    They may be CSV, with a row for each reading or a column for each metric, Parquet, InfluxDB line
    protocol, or the database of Home Assistant's recorder; gzip too. Each reading is stored once,
    however often it is imported: what was interrupted is simply done again. A row that is no
    reading is told with its line, and the rest is imported. The collector may run.

    Ends with 0 if the files were read to their end, bad rows or not; with 1 if one of them was not,
    or has bad rows only.
    """
    with one_sentence():
        settings = load_settings()
        hints["zone"] = hints["zone"] or settings.zone or "UTC"
        parse_zone(hints["zone"])
        now = now_us()
        latest_us = now + parse_duration(settings.future_tolerance)
        files = tuple(str(Path(path).absolute()) for path in paths)
        note_command(settings, "import asked for", ", ".join(files))
        with _shown() as tell:
            result = done(settings, Import(files, now, latest_us, columns=columns, **hints), tell)
    click.echo(orjson.dumps(result) if as_json else _in_words(result))
    for line in _faults(result):
        click.echo(line, err=True)
    if result["faults"] or (result["bad"] and not result["read"]):
        raise SystemExit(1)


@contextmanager
def _shown() -> Iterator[Tell]:
    """Shows on a terminal how far it is, in one line that is gone at the end."""
    if not sys.stderr.isatty():
        yield silent
        return

    def show(what: str, count: int, total: int) -> None:
        words = f"{what}: {count} of {total}" if total else f"{what}: {count}"
        click.echo(f"\r{words:<{_WIDTH}}", nl=False, err=True)

    try:
        yield show
    finally:
        click.echo(f"\r{'':<{_WIDTH}}\r", nl=False, err=True)


def _in_words(result: Result) -> str:
    words = f"imported {result['stored']} readings; {result['duplicates']} were there already"
    if result["skipped"]:
        words += f"; {result['skipped']} rows say that there is no value"
    return words


def _faults(result: Mapping[str, Any]) -> Iterator[str]:  # Any: JSON, be it from the collector
    rows, count = result["bad_rows"], result["bad"]
    for row in rows:
        yield f"{row['file']}, line {row['line']}: {row['reason']}: {row['sample']}"
    if count:
        more = f", the first {len(rows)} above" if count > len(rows) else ""
        yield f"rows left out because they are no readings: {count}{more}"
    for fault in result["faults"]:
        yield f"Error: {fault}"
    if result["fault_count"] > len(result["faults"]):
        yield f"Error: {result['fault_count']} files could not be read, the first of them above"
