"""Commands: python -m dashboard run | check | user | token."""

import click

from dashboard.people import (
    ADMIN,
    add_token,
    ensure_admin,
    hash_password,
    new_password,
    session_key,
)
from dashboard.server import Server, check_port
from mosquitto.access import Access
from telemetry.daemon import (
    pid_file,
    prepare_folders,
    start_logging,
)
from telemetry.fault import one_sentence
from telemetry.settings import Settings, load_settings


def _prepared() -> tuple[Settings, Access]:
    settings = load_settings()
    prepare_folders(settings)
    access = Access(settings.access_path)
    access.prepare()
    return settings, access


@click.group()
def main() -> None:
    """The dashboard: charts, export and HTTP API."""


@main.command()
@click.option("--debug", is_flag=True, help="Use the development server; for developers alone.")
@one_sentence()
def run(debug: bool) -> None:
    """Run the dashboard until SIGTERM or Ctrl-C."""
    from dashboard.app import create_app  # here, for it takes seconds that other commands need not

    settings, access = _prepared()
    session_key(settings)  # a fault in it would be a traceback of a worker
    with pid_file(settings, "dashboard"):
        check_port(settings)
        start_logging(settings, "dashboard")
        if debug:
            _greet(settings, access)
            create_app(settings).run(settings.http_host, settings.http_port)
            return
        Server(settings, lambda: create_app(settings), lambda: _greet(settings, access)).run()


def _greet(settings: Settings, access: Access) -> None:
    """Says where to look; a new password goes to the console alone, into no log file.

    The admin is made here, not before: a start that was cut short would have lost the password.
    """
    password = ensure_admin(access, settings)
    host = "127.0.0.1" if settings.http_host in {"0.0.0.0", "::"} else settings.http_host  # noqa: S104  # compared, not bound
    click.echo(f"Culex is ready: http://{host}:{settings.http_port}")
    if password:
        click.echo(f"Log in as {ADMIN} with the password {password} (shown this once)")


@main.command()
@one_sentence()
def check() -> None:
    """Say whether the dashboard could start: none runs here, its port is free."""
    settings = load_settings()
    prepare_folders(settings)
    with pid_file(settings, "dashboard"):
        check_port(settings)


@main.group()
def user() -> None:
    """People who may look."""


@user.command("add")
@click.argument("name")
@one_sentence()
def user_add(name: str) -> None:
    """Add a user and print a random password, once."""
    _, access = _prepared()
    password = new_password()
    access.add_user(name, hash_password(password), "viewer")
    click.echo(password)


@user.command("list")
@one_sentence()
def user_list() -> None:
    """List users with their roles."""
    _, access = _prepared()
    for one in access.users():
        click.echo(f"{one.name}\t{one.role}")


@user.command("passwd")
@click.argument("name")
@one_sentence()
def user_passwd(name: str) -> None:
    """Give a user a new random password, printed once; sessions of the old one end."""
    _, access = _prepared()
    password = new_password()
    access.set_password(name, hash_password(password))
    click.echo(password)


@main.group()
def token() -> None:
    """Programs that may read."""


@token.command("add")
@click.argument("name")
@one_sentence()
def token_add(name: str) -> None:
    """Add a read token and print it, once."""
    _, access = _prepared()
    click.echo(add_token(access, name))


@token.command("list")
@one_sentence()
def token_list() -> None:
    """List tokens by name."""
    _, access = _prepared()
    for one in access.tokens():
        click.echo(one.name)


@token.command("remove")
@click.argument("name")
@one_sentence()
def token_remove(name: str) -> None:
    """Remove a token: it is worth nothing from now on."""
    _, access = _prepared()
    access.remove_token(name)


if __name__ == "__main__":
    main(prog_name="python -m dashboard")
