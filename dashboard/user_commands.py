"""Commands: python -m dashboard user, token and audit."""

import json
from collections.abc import Sequence

import click

from dashboard.people import add_token, hash_password, new_password
from mosquitto.access import Access
from mosquitto.access_audit import audit_log, shell_actor
from mosquitto.access_seen import Grant, parse_grant
from mosquitto.access_sessions import Sessions
from mosquitto.access_tokens import READ, SCOPES, Token, Tokens
from mosquitto.access_users import ROLES, VIEWER, User, Users, no_user
from telemetry.clock import now_us
from telemetry.daemon import prepare_folders
from telemetry.fault import one_sentence
from telemetry.settings import Settings, load_settings
from telemetry.window import DAY_US, to_iso
from telemetry.words import printable

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
_SEES = click.option(
    "--sees",
    multiple=True,
    metavar="client:NAME|tag:WORD",
    help="Whose charts it may see; may repeat. Who was never given one sees all.",
)


def prepared() -> Settings:
    """The settings, with access.db at its newest version.

    Raises:
        Fault: If settings or folders cannot be used.
    """
    settings = load_settings()
    prepare_folders(settings)
    Access(settings.access_path).prepare()
    return settings


@click.group()
def user() -> None:
    """People who may look."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default=VIEWER, show_default=True)
@click.option("--without-password", is_flag=True,
              help="It logs in elsewhere: through a proxy or a provider.")  # fmt: skip
@_SEES
@one_sentence()
def user_add(name: str, role: str, without_password: bool, sees: tuple[str, ...]) -> None:
    """Add the user NAME and print a random password, once."""
    if without_password:
        _users().add(name, "", role, _grants(sees))
        click.echo(f"User {name} logs in elsewhere.", err=True)
        return
    password = new_password()
    _users().add(name, hash_password(password), role, _grants(sees))
    click.echo(password)


@user.command("list")
@_AS_JSON
@one_sentence()
def user_list(as_json: bool) -> None:
    """List users with their roles, and whose charts they may see."""
    users = _users().all()
    if as_json:
        click.echo(json.dumps([_user(one) for one in users]))
        return
    for one in users:
        marks = [*([] if one.password_hash else ["logs in elsewhere"]),
                 *([] if one.enabled else ["disabled"])]  # fmt: skip
        _print(one.name, one.role, *map(str, one.seen), *marks)


@user.command("role")
@click.argument("name")
@click.argument("role", type=click.Choice(ROLES))
@_SEES
@click.option("--sees-all", is_flag=True, help="Let it see all clients from now on.")
@one_sentence()
def user_role(name: str, role: str, sees: tuple[str, ...], sees_all: bool) -> None:
    """Give the user NAME another ROLE; what it may see stays, unless that is said."""
    if sees and sees_all:
        raise click.UsageError("give --sees or --sees-all, not both")
    users = _users()
    kept = users.named(name)
    if kept is None:
        raise no_user(name)
    seen = _grants(sees) if sees or sees_all else kept.seen
    users.set_role(name, role, seen)
    click.echo(f"User {name} is {role} now.", err=True)


@user.command("passwd")
@click.argument("name")
@one_sentence()
def user_passwd(name: str) -> None:
    """Give the user NAME a new random password, printed once; its sessions end."""
    password = new_password()
    _users().set_password(name, hash_password(password))
    click.echo(password)


@user.command("disable")
@click.argument("name")
@one_sentence()
def user_disable(name: str) -> None:
    """Let the user NAME log in no more; its sessions end."""
    _users().set_enabled(name, enabled=False)
    click.echo(f"User {name} may not log in any more.", err=True)


@user.command("enable")
@click.argument("name")
@one_sentence()
def user_enable(name: str) -> None:
    """Let the user NAME log in again, with the password it had."""
    _users().set_enabled(name, enabled=True)
    click.echo(f"User {name} may log in again.", err=True)


@user.command("remove")
@click.argument("name")
@one_sentence()
def user_remove(name: str) -> None:
    """Forget the user NAME; its sessions end."""
    _users().remove(name)
    click.echo(f"User {name} is removed.", err=True)


@user.command("logout")
@click.argument("name")
@one_sentence()
def user_logout(name: str) -> None:
    """End all sessions of the user NAME."""
    settings = prepared()
    if Users(settings.access_path).named(name) is None:
        raise no_user(name)
    ended = Sessions(settings.access_path, shell_actor()).end_all(name)
    click.echo(f"{ended} sessions of {name} are ended.", err=True)


@click.group()
def token() -> None:
    """Programs that may read."""


@token.command("add")
@click.argument("name")
@click.option("--scope", type=click.Choice(SCOPES), default=READ, show_default=True,
              help="The API and /metrics, or /metrics alone.")  # fmt: skip
@click.option("--days", type=click.IntRange(1, 3650), help="How long it holds. Without: for ever.")
@_SEES
@one_sentence()
def token_add(name: str, scope: str, days: int | None, sees: tuple[str, ...]) -> None:
    """Add the read token NAME and print it, once."""
    expires_us = None if days is None else now_us() + days * DAY_US
    click.echo(add_token(_tokens(), name, scope, expires_us, _grants(sees)))


@token.command("list")
@_AS_JSON
@one_sentence()
def token_list(as_json: bool) -> None:
    """List tokens: their names, scopes, and when they end."""
    tokens = _tokens().all()
    if as_json:
        click.echo(json.dumps([_token(one) for one in tokens]))
        return
    for one in tokens:
        ends = "for ever" if one.expires_us is None else f"until {to_iso(one.expires_us)}"
        _print(one.name, one.scope, ends, *map(str, one.seen))


@token.command("remove")
@click.argument("name")
@one_sentence()
def token_remove(name: str) -> None:
    """Remove the token NAME: it is worth nothing from now on."""
    _tokens().remove(name)


@click.command()
@click.option("--last", type=click.IntRange(1, 100_000), default=50, show_default=True)
@_AS_JSON
@one_sentence()
def audit(last: int, as_json: bool) -> None:
    """Print who changed what, the newest first."""
    for one in audit_log(prepared().access_path, last):
        facts = " ".join(f"{key}={value}" for key, value in one.facts.items())
        if as_json:
            click.echo(json.dumps({
                "time": to_iso(one.time_us), "actor": one.actor.name, "origin": one.actor.origin,
                "action": one.action, "object": one.object, "facts": dict(one.facts),
            }))  # fmt: skip
        else:
            who = f"{one.actor.name} ({one.actor.origin})"
            _print(to_iso(one.time_us), who, one.action, one.object, facts)


def _print(*texts: str) -> None:
    """Prints a line of a list; some of it is foreign, and a terminal would obey it."""
    click.echo("\t".join(map(printable, texts)))


def _users() -> Users:
    return Users(prepared().access_path, shell_actor())


def _tokens() -> Tokens:
    return Tokens(prepared().access_path, shell_actor())


def _grants(sees: Sequence[str]) -> list[Grant]:
    """What is to be seen; a name that nobody has yet may be one that was mistyped."""
    found = [parse_grant(text) for text in sees]
    settings = prepared()
    if settings.existing_broker is None:
        access = Access(settings.access_path)
        known = {one.name for one in access.clients()} | access.details().keys()
        for name in (one.value for one in found if one.kind == "client"):
            if name not in known:
                click.echo(f"Warning: there is no client {printable(name)} yet.", err=True)
    return found


def _user(one: User) -> dict[str, object]:
    return {
        "user": one.name,
        "role": one.role,
        "enabled": one.enabled,
        "has_password": bool(one.password_hash),
        "sees": [str(grant) for grant in one.seen],
        "created": to_iso(one.created_us),
        "created_by": one.created_by,
        "credential_changed": to_iso(one.credential_us),
    }


def _token(one: Token) -> dict[str, object]:
    return {
        "token": one.name,
        "scope": one.scope,
        "expires": None if one.expires_us is None else to_iso(one.expires_us),
        "sees": [str(grant) for grant in one.seen],
        "created": to_iso(one.created_us),
        "created_by": one.created_by,
    }
