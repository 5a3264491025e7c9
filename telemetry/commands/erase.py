"""`python -m telemetry erase`."""

from collections.abc import Sequence

import click
import orjson

from mosquitto.access_change import note_command
from telemetry.commands.store import asking, done
from telemetry.export import UnknownClient
from telemetry.fault import one_sentence
from telemetry.job import Erase, JobError
from telemetry.reading import Flag
from telemetry.settings import load_settings


@click.command()
@click.option("--simulated", is_flag=True, help="What the simulated fleet measured.")
@click.option("--client", help="What this client measured.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def erase(*, simulated: bool, client: str | None, as_json: bool) -> None:
    """Remove readings for good, whether or not the collector runs."""
    if simulated == (client is not None):
        raise click.UsageError("say what to erase: either --simulated or --client NAME")
    with one_sentence():
        settings = load_settings()
        with asking(settings) as querier, querier.snapshot() as snapshot:
            if not simulated and not snapshot.latest(client):
                raise UnknownClient(f"there is no client {client!r}")
        note_command(settings, "erase asked for", client or "the simulated fleet")
        result = done(settings, Erase(client, Flag.SIMULATED if simulated else 0))
        click.echo(orjson.dumps(result) if as_json else f"removed {result['erased']} readings")
        unread = result.get("unread")
        if isinstance(unread, Sequence):
            raise JobError(
                f"{len(unread)} files could not be read and may hold more of it, the first is "
                f"data/blocks/{unread[0]}; put them back from a backup and erase again"
            )
