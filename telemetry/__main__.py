"""`python -m telemetry`: what can be asked of the store on a command line."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import click
import orjson

from telemetry.clock import now_us
from telemetry.condition import Damage
from telemetry.daemon import AlreadyRunning, pid_file, prepare_folders
from telemetry.export import DEFAULT_START, ExportQuery, UnknownClient, subject
from telemetry.fault import one_sentence
from telemetry.interface import Appender, Querier
from telemetry.jobs import Compact, Erase, Job, JobError, Patience, Seal, submit, wait
from telemetry.ledger import Discrepancy, Tally, total
from telemetry.reading import Flag
from telemetry.settings import Settings, load_settings
from telemetry.store import open_appender, open_querier
from telemetry.store.rendering import FORMATS, LAYOUTS, Shape, rendered
from telemetry.window import ALL_TIME, Window, parse_duration, parse_time, parse_zone, to_iso

_JOB_S = 3600.0
"""How long the collector may take for a job; a long history takes minutes."""


@contextmanager
def _asking(settings: Settings) -> Iterator[Querier]:
    querier = open_querier(settings.store_path)
    try:
        yield querier
    finally:
        querier.close()


@click.group(context_settings={"max_content_width": 100})
def main() -> None:
    """Export, erase and count what was measured."""


@main.command("export")
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
    with one_sentence(), _asking(load_settings()) as querier:
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


@main.command()
@click.option("--simulated", is_flag=True, help="What the simulated fleet measured.")
@click.option("--client", help="What this client measured.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def erase(*, simulated: bool, client: str | None, as_json: bool) -> None:
    """Remove readings for good, whether or not the collector runs."""
    if simulated == (client is not None):
        raise click.UsageError("say what to erase: either --simulated or --client NAME")
    job = Erase(client, Flag.SIMULATED if simulated else 0)
    with one_sentence():
        settings = load_settings()
        with _asking(settings) as querier, querier.snapshot() as snapshot:
            if not simulated and not snapshot.latest(client):
                raise UnknownClient(f"there is no client {client!r}")
        erased = _written(settings, job, partial(_erased, job))
    click.echo(orjson.dumps({"erased": erased}) if as_json else f"removed {erased} readings")


def _erased(job: Erase, appender: Appender) -> int:
    return appender.erase(client=job.client, flags=job.flags)


@main.command()
@click.option("--before", default="now", show_default=True, help="ISO 8601 or now-6h.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def seal(*, before: str, as_json: bool) -> None:
    """Move readings into Parquet files now, whether or not the collector runs.

    The collector does so by itself, hour by hour.
    """
    with one_sentence():
        end_us = parse_time(before, now_us())
        sealed = _written(load_settings(), Seal(end_us), lambda appender: appender.seal(end_us))
    click.echo(orjson.dumps({"sealed": sealed}) if as_json else f"sealed {sealed} readings")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compact(*, as_json: bool) -> None:
    """Make one Parquet file of those of each day, whether or not the collector runs.

    The collector does so by itself, day by day.
    """
    with one_sentence():
        before_us = now_us()
        made = _written(
            load_settings(), Compact(before_us), lambda appender: appender.compact(before_us)
        )
    click.echo(orjson.dumps({"compacted": made}) if as_json else f"compacted {made} days or months")


def _written(settings: Settings, job: Job, directly: Callable[[Appender], int]) -> int:
    """Does what changes the store: here, or by the collector if that runs."""
    prepare_folders(settings)
    try:
        with pid_file(settings, "collector"), closing(_open(settings)) as appender:
            return directly(appender)
    except AlreadyRunning:
        result = wait(settings.jobs_dir, submit(settings.jobs_dir, job), Patience(_JOB_S))
    if "error" in result:
        raise JobError(str(result["error"]))
    return int(next(iter(result.values())))


def _open(settings: Settings) -> Appender:
    return open_appender(
        settings.store_path, settings.reserve_mb * 1_000_000, parse_duration(settings.seal_after)
    )


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def stats(*, as_json: bool) -> None:
    """Say how much there is, from when to when, and how large the files are."""
    with one_sentence():
        settings = load_settings()
        with _asking(settings) as querier:
            found, sizes = _counted(querier), _sizes(settings)
    if as_json:
        click.echo(orjson.dumps(found | {"bytes": sizes}))
        return
    for name, value in (found | {name: f"{size} bytes" for name, size in sizes.items()}).items():
        click.echo(f"{name:<9} {'–' if value is None else value}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(*, as_json: bool) -> None:
    """Check every file of the history, and whether everything that arrived is accounted for.

    Files are compared with their checksums, and the ledger is counted again from the rows. Ends
    with 1 if a file is damaged or the ledger does not add up.
    """
    with one_sentence(), _asking(load_settings()) as querier:
        damaged = _damaged(querier)
        with querier.snapshot() as snapshot:
            rows, wrong = snapshot.ledger(None, ALL_TIME), snapshot.recount()
    messages, readings = total(row.messages for row in rows), total(row.readings for row in rows)
    erased = sum(row.erased for row in rows)
    if as_json:
        files = [one._asdict() for one in damaged]
        verdict = _verdict(messages, readings, erased, wrong) | {"damaged": files}
        click.echo(orjson.dumps(verdict))
    else:
        for path, reason in damaged:
            click.echo(f"data/blocks/{path}: {reason}; put it back from a backup")
        click.echo("\n".join(_verdict_lines(messages, readings, erased, wrong)))
    if wrong or damaged:
        raise SystemExit(1)


def _damaged(querier: Querier) -> list[Damage]:
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        querier.inspect(), label="checking files", show_pos=True, file=sys.stderr, hidden=hidden
    ) as found:
        return [one for one in found if one]


def _verdict(
    messages: Tally, readings: Tally, erased: int, wrong: Sequence[Discrepancy]
) -> dict[str, object]:
    places = [
        {"client": one.account.client, "hour": to_iso(one.account.hour_us), "what": one.what,
         "ledger": one.ledger, "found": one.found}
        for one in wrong
    ]  # fmt: skip
    return {
        "adds_up": not wrong,
        "messages": messages._asdict(),
        "readings": readings._asdict() | {"erased": erased},
        "discrepancies": places,
    }


def _verdict_lines(
    messages: Tally, readings: Tally, erased: int, wrong: Sequence[Discrepancy]
) -> Iterator[str]:
    """The verdict for people: a small table, and where it does not add up."""
    yield f"{'':<12}{'messages':>14}{'readings':>14}"
    for name, message, reading in zip(Tally._fields, messages, readings, strict=True):
        yield f"{name:<12}{message:>14}{reading:>14}"
    yield f"{'erased since':<12}{'':>14}{erased:>14}"
    for one in wrong:
        where = f"{one.account.client or '(no client)'}, hour {to_iso(one.account.hour_us)}"
        yield f"{where}: {one.what}: the ledger says {one.ledger}, there are {one.found}"
    yield "it does not add up" if wrong else "everything that arrived is accounted for"


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


if __name__ == "__main__":
    main(prog_name="python -m telemetry")
