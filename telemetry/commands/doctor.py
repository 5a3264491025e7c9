"""`python -m telemetry doctor`."""

import sys

import click
import orjson

from mosquitto.access_known import clients_here
from telemetry.clock import now_us
from telemetry.commands.checkup import check_installation
from telemetry.commands.store import asking
from telemetry.diagnosis import diagnose
from telemetry.facts import gather
from telemetry.fault import one_sentence
from telemetry.finding import Finding, Severity, sentence, worst
from telemetry.settings import Settings, load_settings
from telemetry.words import printable


@click.command()
@click.argument("client", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(client: str | None, *, as_json: bool) -> None:
    """Say why there is no data of CLIENT, or what is wrong with the installation.

    Works while everything is stopped. Each finding is ok, warn or fail, with what to do. The exit
    status is 1 if anything fails, else 0. With --json, `findings` has for each `code`, `severity`,
    `seen`, `cause`, `remedy`, `times` and `last`, and `worst` is the severity of the worst.
    """
    with one_sentence():
        settings, time_us = load_settings(), now_us()
        if client is None:
            findings = [*check_installation(settings, time_us)]
        else:
            findings = _of_client(settings, client, time_us)
    if as_json:
        record = {
            "client": client,
            "worst": str(worst(findings)),
            "findings": [one.record() for one in findings],
        }
        click.echo(orjson.dumps(record))
    else:
        for one in findings:
            click.echo("\n".join(_lines(one, time_us)))
    sys.exit(1 if worst(findings) is Severity.FAIL else 0)


def _of_client(settings: Settings, client: str, time_us: int) -> list[Finding]:
    with asking(settings) as querier, querier.snapshot() as snapshot:
        return diagnose(gather(snapshot, client, time_us, clients_here(settings)))


def _lines(one: Finding, time_us: int) -> list[str]:
    """A finding for a terminal, on which foreign text has no power."""
    when = one.when(time_us)
    lines = [f"{one.severity:<5} {sentence(one.seen)}" + (f" ({when})" if when else "")]
    if one.cause:
        lines.append(f"      {sentence(one.cause)}")
    if one.remedy:
        lines.append(f"      To do: {sentence(one.remedy)}")
    return [printable(line) for line in lines]
