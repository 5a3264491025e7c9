"""`python -m telemetry backup` and `restore`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import orjson

from mosquitto.access_change import note_command
from telemetry.fault import one_sentence
from telemetry.settings import load_settings
from telemetry.store.backup import Made, Wish, back_up
from telemetry.store.backup_folder import Progress
from telemetry.store.restoring import Restored, restore
from telemetry.window import to_iso

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("folder", type=_FOLDER)
@click.option(
    "--keep", default=7, show_default=True, type=click.IntRange(min=1),
    help="So many backups stay in FOLDER, the newest.",
)  # fmt: skip
@click.option("--verify", is_flag=True, help="Read again what FOLDER has from before.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def backup(folder: Path, *, keep: int, verify: bool, as_json: bool) -> None:
    """Copy the store, its logins and keys to FOLDER, while everything runs on.

    Files that FOLDER has from before are not copied again. Ends with 1 if a file of the history is
    damaged: the rest is in the backup.
    """
    with one_sentence(), _shown() as progress:
        made = back_up(load_settings(), folder, Wish(keep, verify), progress)
    said = _of_made(made)
    click.echo(orjson.dumps(said) if as_json else _in_words(made))
    for path, reason in made.listing.missing.items():
        click.echo(f"Error: data/blocks/{path}: {reason}; it is not in the backup", err=True)
    if made.listing.missing:
        raise SystemExit(1)


def _of_made(made: Made) -> dict[str, object]:
    listing, taken = made.listing, made.taken
    return {
        "backup": str(made.path),
        "made": to_iso(listing.made_us),
        "files": len(listing.files),
        "bytes": listing.size,
        "linked": taken.linked,
        "copied": taken.copied,
        "kept": taken.kept,
        "damaged": [{"path": path, "reason": reason} for path, reason in listing.missing.items()],
        "removed": made.removed,
    }


def _in_words(made: Made) -> str:
    new = made.taken.linked + made.taken.copied
    return (
        f"{made.path}: {len(made.listing.files)} files, {made.listing.size / 1e6:.1f} MB, "
        f"{new} new of the history"
    )


@click.command("restore")
@click.argument("folder", type=_FOLDER)
@click.option("--to", type=_FOLDER, metavar="DATA_DIR", help="Instead of CULEX_DATA_DIR.")
@click.option("--replace", is_flag=True, help="Move aside what is there.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def restore_command(folder: Path, *, to: Path | None, replace: bool, as_json: bool) -> None:
    """Put the newest backup in FOLDER, or the one whose own folder that is, in place.

    Broker, collector and dashboard must not run there. Nothing changes before every file is copied
    and compared with its checksum.
    """
    with one_sentence(), _shown() as progress:
        settings = load_settings()
        if to is not None:
            settings = settings.model_copy(update={"data_dir": to})
        done = restore(settings, folder, replace=replace, progress=progress)
        note_command(settings, "restored", str(done.source))
    said = _of_restored(done, settings.data_dir)
    click.echo(orjson.dumps(said) if as_json else _restored_in_words(done, settings.data_dir))


def _of_restored(done: Restored, data_dir: Path) -> dict[str, object]:
    return {
        "restored": str(data_dir),
        "backup": str(done.source),
        "made": to_iso(done.listing.made_us),
        "files": len(done.listing.files),
        "bytes": done.listing.size,
        "replaced": None if done.replaced is None else str(done.replaced),
        "damaged": [{"path": path, "reason": why} for path, why in done.listing.missing.items()],
    }


def _restored_in_words(done: Restored, data_dir: Path) -> str:
    lines = [f"{data_dir} is as it was at {to_iso(done.listing.made_us)}"]
    if done.replaced is not None:
        lines.append(f"what was there before is in {done.replaced}; remove it when you are sure")
    missing = done.listing.missing.items()
    return "\n".join([*lines, *(f"data/blocks/{path} was damaged already" for path, _ in missing)])


@contextmanager
def _shown() -> Iterator[Progress]:
    """Progress bars on standard error, one after the other, if somebody watches."""
    bars = _Bars()
    try:
        yield bars.tell
    finally:
        bars.end()


class _Bars:
    def __init__(self) -> None:
        self._label = ""
        self._bar: Any = None  # click's own, of no public type

    def tell(self, label: str, done: int, all_: int) -> None:
        """Shows how far that is."""
        if not sys.stderr.isatty() or not all_:
            return
        if label != self._label:
            self.end()
            self._label = label
            self._bar = click.progressbar(length=all_, label=label, file=sys.stderr)
            self._bar.render_progress()
        self._bar.update(done - self._bar.pos)

    def end(self) -> None:
        """The cursor is on a line of its own again."""
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None
