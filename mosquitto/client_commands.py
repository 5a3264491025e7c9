"""Command line: python -m mosquitto client add, import, list, show, set and so on."""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import click

from mosquitto import provision
from mosquitto.access import PUBLISHER, ROLES, Access, Client, no_client
from mosquitto.access_audit import shell_actor
from mosquitto.client_list import read_list
from mosquitto.detail import Detail, Kept, entered
from mosquitto.provision import PENDING, Credentials, Permit
from telemetry.fault import one_sentence
from telemetry.files import claimed, publish_file
from telemetry.settings import Settings, load_settings
from telemetry.window import to_iso
from telemetry.words import printable

Command = TypeVar("Command", bound=Callable[..., None])

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
_FIELDS = ("description", "serial_number", "mac_address", "notes")


def _details(command: Command) -> Command:
    """The options that say what is known of a client."""
    for name in reversed(_FIELDS):
        command = click.option(
            f"--{name.replace('_', '-')}", help=f"Its {name}.".replace("_", " ")
        )(command)
    return click.option("--tag", "tags", multiple=True, help="A word to find it by; may repeat.")(
        command
    )


@click.group()
def client() -> None:
    """Add, list, change and remove the clients that may speak."""


@client.command()
@click.argument("name")
@click.option("--role", type=click.Choice(list(ROLES)), default=PUBLISHER, show_default=True)
@click.option("--any-identifier", is_flag=True, help="Let it choose its client identifier.")
@_details
@_AS_JSON
@one_sentence()
def add(
    name: str, role: str, any_identifier: bool, as_json: bool, tags: tuple[str, ...], **said: str
) -> None:
    """Let the client NAME publish to clients/NAME/#, at once if the broker runs."""
    settings = load_settings()
    permit = Permit(role, not any_identifier, _entered(name, None, tags, said))
    _tell(settings, provision.add_client(settings, name, permit, shell_actor()), as_json)


@client.command(name="import")
@click.argument("file", type=click.File(encoding="utf-8-sig"))
@click.option("--out", type=click.Path(dir_okay=False), help="Write the logins there, mode 0600.")
@one_sentence()
def import_clients(file: Iterable[str], out: str | None) -> None:
    """Add all clients of a CSV FILE (columns name, role, description, tags, …), or none.

    Prints their logins, a JSON object on each line.
    """
    settings, permits = load_settings(), read_list(file)
    if out is None:
        click.echo(_import(settings, permits), nl=False)
        return
    with claimed(Path(out)):
        lines = _import(settings, permits)
        try:
            publish_file(Path(out), lines.encode(), mode=0o600)
        except OSError:
            click.echo(lines, nl=False)  # they are added, and kept nowhere else
            raise
    click.echo(f"{len(permits)} clients are added; their logins are in {out}", err=True)


def _import(settings: Settings, permits: Mapping[str, Permit]) -> str:
    added = provision.add_clients(settings, permits, shell_actor())
    return "".join(json.dumps(credentials(settings, each)) + "\n" for each in added)


@client.command(name="list")
@_AS_JSON
@one_sentence()
def list_clients(as_json: bool) -> None:
    """List the clients that may speak."""
    settings = load_settings()
    clients = provision.clients(settings)
    if as_json:
        click.echo(json.dumps([record(each) for each in clients]))
        return
    if not clients:
        click.echo(
            "No clients yet. Add one: .venv/bin/python -m mosquitto client add NAME", err=True
        )
    for each in clients:
        click.echo("\t".join((each.name, to_iso(each.created_us), *_marks(each))))


@client.command()
@click.argument("name")
@_AS_JSON
@one_sentence()
def show(name: str, as_json: bool) -> None:
    """Show what is known of the client NAME, and what it may do."""
    settings = load_settings()
    kept = _kept(settings, name)
    detail = Access(settings.access_path).detail(name)
    whole = record(kept) | provision.topics(settings, kept) | _known(detail)
    if as_json:
        click.echo(json.dumps(whole))
        return
    for key, value in whole.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        click.echo(f"{key.replace('_', ' ')}\t{printable(text)}")


@client.command(name="set")
@click.argument("name")
@click.option("--role", type=click.Choice(list(ROLES)))
@click.option("--identifier", type=click.Choice(["bound", "any"]), help="Its client identifier.")
@_details
@_AS_JSON
@one_sentence()
def change(
    name: str,
    role: str | None,
    identifier: str | None,
    as_json: bool,
    tags: tuple[str, ...],
    **said: str,
) -> None:
    """Change the role, identifier or details of the client NAME; what is not named stays."""
    settings = load_settings()
    kept = _kept(settings, name)
    before = Access(settings.access_path).detail(name)
    bound = kept.bound if identifier is None else identifier == "bound"
    permit = Permit(role or kept.role, bound, _entered(name, before, tags, said))
    provision.set_client_permit(settings, name, permit, shell_actor())
    _done(settings, name, f"Client {name} is changed.", as_json)


@client.command()
@click.argument("name")
@_AS_JSON
@one_sentence()
def disable(name: str, as_json: bool) -> None:
    """Shut the client NAME out until it is enabled; it is disconnected at once."""
    settings = load_settings()
    provision.set_client_enabled(settings, name, enabled=False, by=shell_actor())
    _done(settings, name, f"Client {name} is shut out. Its readings stay.", as_json)


@client.command()
@click.argument("name")
@_AS_JSON
@one_sentence()
def enable(name: str, as_json: bool) -> None:
    """Let the client NAME in again, with the password it had."""
    settings = load_settings()
    provision.set_client_enabled(settings, name, enabled=True, by=shell_actor())
    _done(settings, name, f"Client {name} may speak again.", as_json)


@client.command()
@click.argument("name")
@_AS_JSON
@one_sentence()
def rotate(name: str, as_json: bool) -> None:
    """Give the client NAME a new password; who uses the old one is disconnected at once."""
    settings = load_settings()
    rotated = provision.rotate_client(settings, name, shell_actor())
    _tell(settings, rotated, as_json)
    if rotated.pending:
        click.echo(f"Warning: {PENDING}; until then it knows the old one", err=True)


@client.command()
@click.argument("name")
@_AS_JSON
@one_sentence()
def remove(name: str, as_json: bool) -> None:
    """Shut the client NAME out for good, at once if the broker runs; its readings stay."""
    settings = load_settings()
    provision.remove_client(settings, name, shell_actor())
    said = json.dumps({"client": name, "removed": True})
    click.echo(said if as_json else f"Client {name} is removed. Its readings stay.")


def credentials(settings: Settings, added: Credentials) -> dict[str, object]:
    """What scripts are told of a client that was added."""
    return {
        "client": added.client,
        "username": added.client,
        "password": added.password,
        "client_id": added.client_id,
        "ca_file": str(settings.ca_file),
        "host": settings.mqtt_host,
        "ports": {
            "tls": settings.mqtt_tls_port,
            "plain": settings.mqtt_port,
            "ws": None if settings.asks_clients else settings.mqtt_ws_port,
        },
        "publish": added.publish,
        "subscribe": added.subscribe,
    }


def record(each: Client) -> dict[str, object]:
    """What scripts are told of a client; never its password."""
    return {
        "client": each.name,
        "created": to_iso(each.created_us),
        "created_by": each.created_by,
        "credential_changed": to_iso(each.credential_us),
        "simulated": each.simulated,
        "enabled": each.enabled,
        "role": each.role,
        "identifier": "bound" if each.bound else "any",
    }


def _tell(settings: Settings, added: Credentials, as_json: bool) -> None:
    click.echo(json.dumps(credentials(settings, added)) if as_json else _welcome(settings, added))


def _done(settings: Settings, name: str, said: str, as_json: bool) -> None:
    click.echo(json.dumps(record(_kept(settings, name))) if as_json else said)


def _welcome(settings: Settings, added: Credentials) -> str:
    command = [
        *("mosquitto_pub", "-h", settings.mqtt_host, "-p", str(settings.mqtt_tls_port)),
        *("--cafile", str(settings.ca_file), "-u", added.client, "-P", added.password),
        *_own_certificate(settings, added.client),
        *(("-i", added.client_id) if added.client_id else ()),
        *("-q", "1", "-t", f"clients/{added.client}/temperature", "-m", "21.5"),
    ]
    bound = f"\nIts client identifier must be {added.client_id}." if added.client_id else ""
    asked = (
        "\nIts certificate: "
        f".venv/bin/python -m mosquitto client certificate {added.client} --out ."
        if settings.asks_clients
        else ""
    )
    return (
        f"Client {added.client} may publish to {', '.join(added.publish)} "
        f"and hears {', '.join(added.subscribe)}.{bound}{asked}\n"
        f"Its password, which is shown only now: {added.password}\n"
        f"Try it:\n  {shlex.join(command)}"
    )


def _own_certificate(settings: Settings, name: str) -> Sequence[str]:
    return ("--cert", f"{name}.crt", "--key", f"{name}.key") if settings.asks_clients else ()


def _kept(settings: Settings, name: str) -> Client:
    found = next((each for each in provision.clients(settings) if each.name == name), None)
    if found is None:
        raise no_client(name)
    return found


def _entered(
    name: str, before: Kept | None, tags: tuple[str, ...], said: Mapping[str, str | None]
) -> Detail | None:
    """What is known of the client now, or `None` if nothing was said."""
    given = {field: text for field, text in said.items() if text is not None}
    if tags:
        given["tags"] = ",".join(tags)
    if not given:
        return None
    old = before.detail if before else Detail(name)
    texts = {field: str(getattr(old, field)) for field in _FIELDS}
    return entered(name, texts | {"tags": ",".join(old.tags)} | given)


def _known(kept: Kept | None) -> dict[str, object]:
    if kept is None:
        return {}
    detail = kept.detail
    return {field: getattr(detail, field) for field in _FIELDS} | {"tags": list(detail.tags)}


def _marks(each: Client) -> list[str]:
    marks = {
        "simulated": each.simulated,
        "disabled": not each.enabled,
        each.role: each.role != PUBLISHER,
    }
    return [mark for mark, holds in marks.items() if holds]
