"""Command: python -m mosquitto client certificate NAME."""

from pathlib import Path

import click

from mosquitto.access_change import note_command
from mosquitto.certificate_commands import alone, serve
from mosquitto.client_certificates import Issued, issue, issued, revoke
from telemetry.clock import now_us
from telemetry.fault import one_sentence
from telemetry.files import claimed, publish_file
from telemetry.settings import Settings, load_settings
from telemetry.window import to_iso


@click.command()
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Issue one, with its key, into DIR.",
    metavar="DIR",
)
@click.option("--revoke", "revoking", is_flag=True, help="Take all of the client's back, at once.")
@one_sentence()
def certificate(name: str, out: Path | None, revoking: bool) -> None:
    """Issue a certificate to the client NAME, take its certificates back, or list them."""
    if out is not None and revoking:
        raise click.UsageError("give --out or --revoke, not both")
    if out is not None:
        _issue(name, out)
    elif revoking:
        _revoke(name)
    else:
        _list(load_settings(), name)


def _issue(name: str, out: Path) -> None:
    files = {out / f"{name}.key": 0o600, out / f"{name}.crt": 0o644}
    out.mkdir(parents=True, exist_ok=True)
    with alone() as settings, claimed(*files):
        delivery = issue(settings, name, now_us())
        note_command(settings, "client certificate issued", name)
        for (path, mode), content in zip(
            files.items(), (delivery.key, delivery.certificate), strict=True
        ):
            publish_file(path, content, mode)
    click.echo(f"{name} shows {' and '.join(map(str, files))}; the key is kept nowhere else.")
    if not settings.asks_clients:
        click.echo('The broker asks for it once client_certificates = "required" is set.')


def _revoke(name: str) -> None:
    with alone() as settings:
        count = revoke(settings, name, now_us())
        note_command(settings, "client certificates revoked", name, count=str(count))
        serve(settings)
    click.echo(f"Taken back: {count}. Issue a new one with --out DIR.")


def _list(settings: Settings, name: str) -> None:
    found = [one for one in issued(settings) if one.client == name]
    if not found:
        click.echo(f"{name} has no certificate. Issue one with --out DIR.", err=True)
    for one in found:
        click.echo(f"{one.serial}\t{to_iso(one.issued_us)}\t{_state(one)}")


def _state(one: Issued) -> str:
    if one.revoked_us is not None:
        return f"revoked {to_iso(one.revoked_us)}"
    return f"{'until' if one.good(now_us()) else 'expired'} {to_iso(one.until_us)}"
