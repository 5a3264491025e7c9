"""`python -m collector run | replay | status`."""

import click
import orjson
import structlog

from collector.daemon import replay, run
from collector.status import read_status
from mosquitto.access_change import note_command
from telemetry.daemon import log_to_stderr
from telemetry.fault import one_sentence
from telemetry.job import Replay, Result
from telemetry.quarantine import Choice
from telemetry.settings import load_settings

log = structlog.get_logger("collector")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Keeps what MQTT clients measure: commits each reading, then acknowledges it."""
    log_to_stderr()


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


@main.command("replay")
@click.option("--reason", help="Only what is in quarantine for this reason.")
@click.option("--topic", help="Only what came on this topic.")
@click.option("--dry-run", is_flag=True, help="Change nothing; say what would become of it.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def replay_command(*, reason: str | None, topic: str | None, dry_run: bool, as_json: bool) -> None:
    """Decodes what is in quarantine again, with the topic templates of today.

    Readings get the time they had and the flag replayed. Doing it twice changes nothing. Works
    whether or not the collector runs; one that runs uses the templates it was started with.
    """
    with one_sentence():
        settings = load_settings()
        if not dry_run:
            note_command(settings, "replay asked for", topic or "all topics", reason=reason or "")
        result = replay(settings, Replay(Choice(reason, topic), dry_run))
    click.echo(orjson.dumps(result).decode() if as_json else _replayed(result, dry_run))


def _replayed(result: Result, dry_run: bool) -> str:
    would = "would leave" if dry_run else "left"
    readings = f"up to {result['readings']}" if dry_run else result["stored"]
    return (
        f"of {result['messages']} messages {result['released']} {would} quarantine with {readings} "
        f"new readings, {result['stay']} stay, {result['cut']} are not kept whole"
    )


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
