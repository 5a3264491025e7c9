"""`python -m telemetry retain`."""

from collections.abc import Iterator, Sequence

import click
import orjson

from mosquitto.access_change import note_command
from telemetry.clock import now_us
from telemetry.commands.store import asking, done
from telemetry.fault import one_sentence
from telemetry.job import Retain
from telemetry.retention import Expiring
from telemetry.settings import load_settings
from telemetry.window import to_iso

_CLIENTS_SHOWN = 5


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def retain(*, dry_run: bool, as_json: bool) -> None:
    """Let go of what was kept as long as culex.toml says, whether or not the collector runs.

    The collector does so by itself, day by day. What is not in files yet goes once it is.
    """
    now = now_us()
    with one_sentence():
        settings = load_settings()
        if dry_run:
            with asking(settings) as querier:
                found = querier.expiring(settings.policy.retention, now)
            click.echo(orjson.dumps(_figures(found)) if as_json else "\n".join(_table(found)))
            return
        note_command(settings, "retain asked for", "readings that are over")
        result = done(settings, Retain(now, settings.policy.retention))
    click.echo(
        orjson.dumps(result)
        if as_json
        else f"{result['expired']} readings are gone, and {result['bytes']} bytes with them"
    )


def _figures(found: Sequence[Expiring]) -> dict[str, object]:
    over = [
        {"client": one.rule.client, "metric": one.rule.metric, "tier": one.tier, "rows": one.rows,
         "bytes": one.size, "first": to_iso(one.first_us), "last": to_iso(one.last_us),
         "clients": sorted(one.clients)}
        for one in found
    ]  # fmt: skip
    return {"expired": sum(one.rows for one in found if one.tier == "readings"), "over": over}


def _table(found: Sequence[Expiring]) -> Iterator[str]:
    if not found:
        yield "nothing is over"
    for one in found:
        names = sorted(one.clients)
        more = len(names) - _CLIENTS_SHOWN
        whose = ", ".join(names[:_CLIENTS_SHOWN]) + (f" and {more} more" if more > 0 else "")
        yield (
            f"{one.rule.client} {one.rule.metric}: {one.rows} rows of {one.tier}, {one.size} "
            f"bytes, {to_iso(one.first_us)} to {to_iso(one.last_us)}, of {whose}"
        )
