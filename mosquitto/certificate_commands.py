"""Commands: python -m mosquitto renew | ca show, trust, switch, drop."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import click
from cryptography.hazmat.primitives import hashes

from mosquitto import broker, rotation
from mosquitto.access_change import note_command
from mosquitto.broker_files import renew_certificates
from mosquitto.pem import CertificateError
from mosquitto.renewal import broker_validity
from mosquitto.rotation import Stage
from mosquitto.trust import authorities
from telemetry.clock import now_us
from telemetry.daemon import pid_file, prepare_folders
from telemetry.fault import one_sentence
from telemetry.settings import Settings, load_settings

_NEXT_STEP = {
    Stage.SETTLED: "No rotation is under way. To begin one: .venv/bin/python -m mosquitto ca trust",
    Stage.TRUSTED: (
        "{ca_file} holds the old authority and the new one. Give it to every client, then run: "
        ".venv/bin/python -m mosquitto ca switch"
    ),
    Stage.SWITCHED: (
        "The new authority signs. Once every client is connected again, run: "
        ".venv/bin/python -m mosquitto ca drop"
    ),
}


@click.command()
@one_sentence()
def renew() -> None:
    """Look at the broker's certificates now, as it does itself each hour."""
    with alone() as settings:
        note_command(settings, "certificates looked at", "the broker's")
        serve(settings)
        validity = broker_validity(settings)
    if validity is not None:
        days = math.floor(validity.days_left(now_us()))  # whole ones, as doctor says
        click.echo(f"The broker's certificate is good for {days} days.")


@click.group(name="ca")
def authority() -> None:
    """Show or replace the certificate authority that clients trust (docs/certificates.md)."""


@authority.command()
@one_sentence()
def show() -> None:
    """Say which authorities clients are to trust, and what comes next."""
    settings = load_settings()
    for one in (each.certificate for each in authorities(settings)):
        fingerprint = one.fingerprint(hashes.SHA256()).hex(":").upper()
        click.echo(f"{fingerprint}\tuntil {one.not_valid_after_utc:%Y-%m-%d}")
    _say_next(settings)


@authority.command()
@one_sentence()
def trust() -> None:
    """Begin a rotation: make a new authority, which clients are to trust beside the old one."""
    with alone() as settings:
        rotation.trust_next(settings, now_us())
        note_command(settings, "new authority made", "the certificate authority")
        serve(settings)
    _say_next(settings)


@authority.command()
@one_sentence()
def switch() -> None:
    """Let the new authority sign: clients that do not trust it are shut out from now on."""
    with alone() as settings:
        rotation.switch(settings, now_us())
        note_command(settings, "new authority signs", "the certificate authority")
        serve(settings)
    _say_next(settings)


@authority.command()
@one_sentence()
def drop() -> None:
    """End the rotation: clients need not trust the old authority any more."""
    with alone() as settings:
        rotation.drop_former(settings, now_us())
        note_command(settings, "old authority dropped", "the certificate authority")
        serve(settings)
    click.echo("The old authority is dropped: what it signed opens nothing any more.")
    _say_next(settings)


@contextmanager
def alone() -> Iterator[Settings]:
    """The settings, while nobody else makes keys or certificates."""
    settings = load_settings()
    prepare_folders(settings)
    with pid_file(settings, "init"):
        yield settings


def serve(settings: Settings) -> None:
    """The broker has good certificates, and serves them if it runs."""
    settings.broker_dir.mkdir(mode=0o700, exist_ok=True)
    renewed = renew_certificates(settings)
    if renewed.changed:
        broker.reload(settings)
    if renewed.warning:
        click.echo(f"Warning: {renewed.warning}", err=True)
    if renewed.fault:
        raise CertificateError(f"{renewed.fault}; the broker goes on with its older certificate")


def _say_next(settings: Settings) -> None:
    click.echo(_NEXT_STEP[rotation.stage(settings)].format(ca_file=settings.ca_file))
