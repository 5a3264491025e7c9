"""`python -m telemetry`: what can be asked of the store on a command line."""

import click

from telemetry.commands import backup, doctor, erase, export, importing, retain, stats, tidy, verify
from telemetry.daemon import log_to_stderr


@click.group(context_settings={"max_content_width": 100})
def main() -> None:
    """Export, import, erase, keep and count what was measured; say why something is not there."""
    log_to_stderr()


for _command in (
    export.export_command,
    importing.import_command,
    erase.erase,
    tidy.seal,
    tidy.compact,
    retain.retain,
    backup.backup,
    backup.restore_command,
    stats.stats,
    doctor.doctor,
    verify.verify,
):
    main.add_command(_command)


if __name__ == "__main__":
    main(prog_name="python -m telemetry")
