"""`python -m collector run | status`."""

import click
import orjson
import structlog

from collector.daemon import run
from collector.status import read_status
from telemetry.fault import one_sentence
from telemetry.settings import load_settings

log = structlog.get_logger("collector")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Keeps what MQTT clients measure: commits each reading, then acknowledges it."""


@main.command("run")
def run_command() -> None:
    """Collects in the foreground until Ctrl-C or SIGTERM."""
    try:
        with one_sentence():
            run(load_settings())
    except Exception as error:
        log.exception("ended by an error of our own")
        raise click.ClickException(
            f"ended by an error of our own ({error}); nothing acknowledged is lost, "
            "the details are in collector.log, start it again"
        ) from None


@main.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def status_command(as_json: bool) -> None:
    """Says whether the collector runs; exit status 1 if it does not."""
    with one_sentence():
        status = read_status(load_settings())
    click.echo(orjson.dumps(status.as_record()).decode() if as_json else status.as_text())
    if status.process is None:
        raise SystemExit(1)


if __name__ == "__main__":
    main(prog_name="python -m collector")
