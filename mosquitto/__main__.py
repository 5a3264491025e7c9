"""Command line: python -m mosquitto init | run | client add, list, remove."""

import json
import shlex
import sys

import click

from mosquitto import broker, provision
from mosquitto.access import Client
from telemetry.daemon import prepare_folders, start_logging
from telemetry.fault import one_sentence
from telemetry.settings import Settings, load_settings
from telemetry.window import to_iso


@click.group()
def main() -> None:
    """Who may speak: the broker, its certificates, clients and their topics."""


@main.command()
@one_sentence()
def init() -> None:
    """Make keys, certificates and logins; what exists is kept."""
    settings = load_settings()
    provision.initialise(settings)
    click.echo(f"Ready. Clients trust {settings.ca_file}")


@main.command()
@one_sentence()
def check() -> None:
    """Say whether the broker could start: none runs here, and its ports are free."""
    settings = load_settings()
    prepare_folders(settings)
    broker.check(settings)


@main.command()
@one_sentence()
def run() -> None:
    """Run the broker until Ctrl-C."""
    settings = load_settings()
    prepare_folders(settings)
    start_logging(settings, "broker")
    broker.run(settings)


@main.group()
def client() -> None:
    """Add, list and remove the clients that may speak."""


@client.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@one_sentence()
def add(name: str, as_json: bool) -> None:
    """Let the client NAME publish to clients/NAME/#, at once if the broker runs."""
    settings = load_settings()
    added = _credentials(settings, provision.add_client(settings, name))
    click.echo(json.dumps(added) if as_json else _welcome(added))


@client.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@one_sentence()
def list_clients(as_json: bool) -> None:
    """List the clients that may speak."""
    settings = load_settings()
    clients = provision.clients(settings)
    if as_json:
        click.echo(json.dumps([_record(client) for client in clients]))
        return
    if not clients:
        click.echo("No clients yet. Add one: python -m mosquitto client add NAME", err=True)
    for each in clients:
        click.echo("\t".join((each.name, to_iso(each.created_us), *_marks(each))))


@client.command()
@click.argument("name")
@one_sentence()
def remove(name: str) -> None:
    """Shut the client NAME out, at once if the broker runs; its readings stay."""
    settings = load_settings()
    provision.remove_client(settings, name)
    click.echo(f"Client {name} is removed. Its readings stay.")


def _credentials(settings: Settings, added: provision.Credentials) -> dict[str, object]:
    return {
        "client": added.client,
        "username": added.client,
        "password": added.password,
        "ca_file": str(settings.ca_file),
        "host": settings.mqtt_host,
        "ports": {
            "tls": settings.mqtt_tls_port,
            "plain": settings.mqtt_port,
            "ws": settings.mqtt_ws_port,
        },
        "publish": added.publish,
        "subscribe": added.subscribe,
    }


def _welcome(added: dict[str, object]) -> str:
    ports = added["ports"]
    tls = ports["tls"] if isinstance(ports, dict) else ""
    command = [
        *("mosquitto_pub", "-h", str(added["host"]), "-p", str(tls)),
        *("--cafile", str(added["ca_file"]), "-u", str(added["username"])),
        *("-P", str(added["password"]), "-q", "1"),
        *("-t", f"clients/{added['client']}/temperature", "-m", "21.5"),
    ]
    return (
        f"Client {added['client']} may publish to {', '.join(_texts(added['publish']))} "
        f"and hears {', '.join(_texts(added['subscribe']))}.\n"
        f"Its password, which is shown only now: {added['password']}\n"
        f"Try it:\n  {shlex.join(command)}"
    )


def _texts(values: object) -> list[str]:
    return [str(value) for value in values] if isinstance(values, list) else []


def _record(each: Client) -> dict[str, object]:
    return {
        "client": each.name,
        "created": to_iso(each.created_us),
        "simulated": each.simulated,
        "enabled": each.enabled,
    }


def _marks(each: Client) -> list[str]:
    marks = {"simulated": each.simulated, "disabled": not each.enabled}
    return [mark for mark, holds in marks.items() if holds]


if __name__ == "__main__":
    sys.exit(main(prog_name="python -m mosquitto"))
