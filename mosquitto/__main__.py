"""Command line: python -m mosquitto init | run | client add, list, remove."""

import json
import shlex
import sys
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

import click

from mosquitto import broker, provision
from mosquitto.access import AccessError, Client
from mosquitto.certificates import CertificateError
from mosquitto.configuration import BrokerMissing
from mosquitto.control import ControlError
from mosquitto.names import NameRefused
from mosquitto.ports import PortRefused
from telemetry.daemon import AlreadyRunning, DataFolderError, prepare_folders, start_logging
from telemetry.login import SecretError
from telemetry.settings import Settings, SettingsError, load_settings
from telemetry.window import to_iso

_FAILURES = (
    AccessError,
    AlreadyRunning,
    BrokerMissing,
    CertificateError,
    ControlError,
    DataFolderError,
    SecretError,
    SettingsError,
    PortRefused,
    broker.BrokerError,
)
_P = ParamSpec("_P")
_R = TypeVar("_R")


def _command(function: Callable[Concatenate[Settings, _P], _R]) -> Callable[_P, _R]:
    """Passes the settings in, and turns each failure into its sentence and exit status."""

    @wraps(function)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(load_settings(), *args, **kwargs)
        except NameRefused as error:
            raise click.UsageError(str(error)) from error
        except _FAILURES as error:
            click.ClickException(str(error)).show()
            sys.exit(getattr(error, "exit_code", 1))
        except OSError as error:
            raise click.ClickException(
                f"{error.filename or 'the system'}: {error.strerror}; "
                "check the owner and the free space of the data folder"
            ) from error

    return guarded


@click.group()
def main() -> None:
    """Who may speak: the broker, its certificates, clients and their topics."""


@main.command()
@_command
def init(settings: Settings) -> None:
    """Make keys, certificates and logins; what exists is kept."""
    provision.initialise(settings)
    click.echo(f"Ready. Clients trust {settings.ca_file}")


@main.command()
@_command
def check(settings: Settings) -> None:
    """Say whether the broker could start: none runs here, and its ports are free."""
    prepare_folders(settings)
    broker.check(settings)


@main.command()
@_command
def run(settings: Settings) -> None:
    """Run the broker until Ctrl-C."""
    prepare_folders(settings)
    start_logging(settings, "broker")
    broker.run(settings)


@main.group()
def client() -> None:
    """Add, list and remove the clients that may speak."""


@client.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_command
def add(settings: Settings, name: str, as_json: bool) -> None:
    """Let the client NAME publish to clients/NAME/#, at once if the broker runs."""
    added = _credentials(settings, provision.add_client(settings, name))
    click.echo(json.dumps(added) if as_json else _welcome(added))


@client.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@_command
def list_clients(settings: Settings, as_json: bool) -> None:
    """List the clients that may speak."""
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
@_command
def remove(settings: Settings, name: str) -> None:
    """Shut the client NAME out, at once if the broker runs; its readings stay."""
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
