"""Command line: python -m mosquitto init | run | check | renew | ca | client."""

import sys

import click

from mosquitto import broker, provision
from mosquitto.certificate_commands import authority, renew
from mosquitto.client_certificate_commands import certificate
from mosquitto.client_commands import client
from telemetry.daemon import log_to_stderr, prepare_folders, start_logging
from telemetry.fault import one_sentence
from telemetry.settings import load_settings


@click.group()
def main() -> None:
    """Who may speak: the broker, its certificates, clients and their topics."""
    log_to_stderr()


@main.command()
@one_sentence()
def init() -> None:
    """Make keys, certificates and logins; what exists is kept."""
    settings = load_settings()
    provision.initialise(settings)
    broker = settings.existing_broker
    click.echo(
        f"Ready. Readings come from the broker at {broker.place}"
        if broker
        else f"Ready. Clients trust {settings.ca_file}"
    )


@main.command()
@one_sentence()
def check() -> None:
    """Say whether the broker could start: none runs here, and its ports are free.

    Of an existing broker (broker_url) only its password is looked for.
    """
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


client.add_command(certificate)
main.add_command(authority)
main.add_command(client)
main.add_command(renew)

if __name__ == "__main__":
    sys.exit(main(prog_name="python -m mosquitto"))
