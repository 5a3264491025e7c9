"""Commands: python -m dashboard run | check | user | token | audit."""

import click

from dashboard.people import FIRST_USER, ensure_admin, session_key
from dashboard.server import Server, check_port
from dashboard.user_commands import audit, prepared, token, user
from mosquitto.access_users import Users
from mosquitto.renewal import prepare_http
from telemetry.daemon import (
    log_to_stderr,
    pid_file,
    prepare_folders,
    start_logging,
)
from telemetry.existing import place_of
from telemetry.fault import one_sentence
from telemetry.settings import Settings, load_settings


@click.group()
def main() -> None:
    """The dashboard: charts, export and HTTP API."""
    log_to_stderr()


@main.command()
@click.option("--debug", is_flag=True, help="Use the development server; for developers alone.")
@click.option("--tls", is_flag=True, help="Serve https, as http_tls = true in culex.toml does.")
@one_sentence()
def run(debug: bool, tls: bool) -> None:
    """Run the dashboard until SIGTERM or Ctrl-C."""
    from dashboard.app import create_app  # here, for it takes seconds that other commands need not

    settings = prepared()
    if tls:
        settings = settings.model_copy(update={"http_tls": True})
    session_key(settings)  # a fault in it would be a traceback of a worker
    with pid_file(settings, "dashboard"):
        check_port(settings)
        start_logging(settings, "dashboard")
        if settings.http_tls:
            prepare_http(settings)
        if debug:
            _greet(settings)
            files = (str(settings.http_certificate), str(settings.http_key))
            create_app(settings).run(
                settings.http_host,
                settings.http_port,
                ssl_context=files if settings.http_tls else None,
            )
            return
        Server(settings, lambda: create_app(settings), lambda: _greet(settings)).run()


def _greet(settings: Settings) -> None:
    """Says where to look; a new password goes to the console alone, into no log file.

    The admin is made here, not before: a start that was cut short would have lost the password.
    """
    password = ensure_admin(Users(settings.access_path), settings)
    host = "127.0.0.1" if settings.http_host in {"0.0.0.0", "::"} else settings.http_host  # noqa: S104  # compared, not bound
    scheme = "https" if settings.http_tls else "http"
    click.echo(f"Culex is ready: {scheme}://{place_of(host, settings.http_port)}")
    if settings.existing_broker:
        click.echo(f"It listens at the broker {settings.existing_broker.place}")
    if password:
        click.echo(f"Log in as {FIRST_USER} with the password {password} (shown this once)")


@main.command()
@one_sentence()
def check() -> None:
    """Say whether the dashboard could start: none runs here, its port is free."""
    settings = load_settings()
    prepare_folders(settings)
    with pid_file(settings, "dashboard"):
        check_port(settings)


main.add_command(user)
main.add_command(token)
main.add_command(audit)

if __name__ == "__main__":
    main(prog_name="python -m dashboard")
