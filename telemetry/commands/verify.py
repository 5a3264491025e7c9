"""`python -m telemetry verify`."""

import sys
from collections.abc import Iterator, Sequence

import click
import orjson

from telemetry.commands.store import asking
from telemetry.condition import Damage
from telemetry.fault import one_sentence
from telemetry.interface import Querier
from telemetry.ledger import Discrepancy, Tally, total
from telemetry.settings import load_settings
from telemetry.window import ALL_TIME, to_iso


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def verify(*, as_json: bool) -> None:
    """Check every file of the history, and whether everything that arrived is accounted for.

    Files are compared with their checksums, and the ledger is counted again from the rows. Ends
    with 1 if a file is damaged or the ledger does not add up.
    """
    with one_sentence(), asking(load_settings()) as querier:
        damaged = _damaged(querier)
        with querier.snapshot() as snapshot:
            rows, wrong = snapshot.ledger(None, ALL_TIME), snapshot.recount()
    messages, readings = total(row.messages for row in rows), total(row.readings for row in rows)
    gone = {"erased": sum(row.erased for row in rows), "expired": sum(row.expired for row in rows)}
    if as_json:
        files = [one._asdict() for one in damaged]
        verdict = _verdict(messages, readings, gone, wrong) | {"damaged": files}
        click.echo(orjson.dumps(verdict))
    else:
        for path, reason in damaged:
            click.echo(f"data/blocks/{path}: {reason}; put it back from a backup")
        click.echo("\n".join(_verdict_lines(messages, readings, gone, wrong)))
    if wrong or damaged:
        raise SystemExit(1)


def _damaged(querier: Querier) -> list[Damage]:
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        querier.inspect(), label="checking files", show_pos=True, file=sys.stderr, hidden=hidden
    ) as found:
        return [one for one in found if one]


def _verdict(
    messages: Tally, readings: Tally, gone: dict[str, int], wrong: Sequence[Discrepancy]
) -> dict[str, object]:
    places = [
        {"client": one.account.client, "hour": to_iso(one.account.hour_us), "what": one.what,
         "ledger": one.ledger, "found": one.found}
        for one in wrong
    ]  # fmt: skip
    return {
        "adds_up": not wrong,
        "messages": messages._asdict(),
        "readings": readings._asdict() | gone,
        "discrepancies": places,
    }


def _verdict_lines(
    messages: Tally, readings: Tally, gone: dict[str, int], wrong: Sequence[Discrepancy]
) -> Iterator[str]:
    """The verdict for people: a small table, and where it does not add up."""
    yield f"{'':<12}{'messages':>14}{'readings':>14}"
    for name, message, reading in zip(Tally._fields, messages, readings, strict=True):
        yield f"{name:<12}{message:>14}{reading:>14}"
    for name, number in gone.items():
        yield f"{f'{name} since':<14}{'':>12}{number:>14}"
    for one in wrong:
        where = f"{one.account.client or '(no client)'}, hour {to_iso(one.account.hour_us)}"
        yield f"{where}: {one.what}: the ledger says {one.ledger}, there are {one.found}"
    yield "it does not add up" if wrong else "everything that arrived is accounted for"
