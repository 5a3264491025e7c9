"""`python -m telemetry seal` and `compact`: what the collector does by itself, done now."""

import click
import orjson

from telemetry.clock import now_us
from telemetry.commands.store import done
from telemetry.fault import one_sentence
from telemetry.job import Compact, Seal
from telemetry.settings import load_settings
from telemetry.window import parse_time


@click.command()
@click.option("--before", default="now", show_default=True, help="ISO 8601 or now-6h.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def seal(*, before: str, as_json: bool) -> None:
    """Move readings into Parquet files now, whether or not the collector runs.

    The collector does so by itself, hour by hour.
    """
    with one_sentence():
        result = done(load_settings(), Seal(parse_time(before, now_us())))
    click.echo(orjson.dumps(result) if as_json else f"sealed {result['sealed']} readings")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def compact(*, as_json: bool) -> None:
    """Make one Parquet file of those of each day, whether or not the collector runs.

    The collector does so by itself, day by day.
    """
    with one_sentence():
        result = done(load_settings(), Compact(now_us()))
    made = result["compacted"]
    click.echo(orjson.dumps(result) if as_json else f"compacted {made} days or months")
