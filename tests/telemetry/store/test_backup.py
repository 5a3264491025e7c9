"""Backups: whole, of one moment, never half; restored they say what they said then, or nothing."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from telemetry.batch import Arrival, Batch
from telemetry.commands.backup import backup, restore_command
from telemetry.daemon import AlreadyRunning, pid_file, prepare_folders
from telemetry.job import Compact, Seal
from telemetry.ledger import Account
from telemetry.settings import Settings
from telemetry.store import backup as backups
from telemetry.store import backup_blocks
from telemetry.store.appender import StoreAppender
from telemetry.store.archive import DROPPED
from telemetry.store.backup import Made, Wish, back_up
from telemetry.store.backup_blocks import Taking
from telemetry.store.backup_folder import BackupError, BackupFolder
from telemetry.store.head import SCHEMA, copy_database, open_reader
from telemetry.store.keeper import GRACE_US
from telemetry.store.layout import Block, blocks_folder
from telemetry.store.manifest import every_block
from telemetry.store.restoring import Restored, restore
from telemetry.switching import finish_switch
from telemetry.window import ALL_TIME, DAY_US, HOUR_US
from tests.support import make_settings
from tests.telemetry.builders import NOON_US, ROOT, SECOND_US, SERIES, looking, reading, values
from tests.telemetry.store.backing import Deed, Failpoint, unheard

pytestmark = pytest.mark.usefixtures("writer")

END_US = NOON_US + HOUR_US
NOW_US = NOON_US + 40 * DAY_US
DEADLINE_S = 60
HALF = 300

F = Failpoint


@pytest.fixture
def writer(settings: Settings) -> Iterator[StoreAppender]:
    """The writer of a store with two parts of one day, and logins and keys beside it."""
    with closing(made(settings)) as writer:
        yield writer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "backups"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Settings:
    """Another machine."""
    return make_settings(tmp_path / "elsewhere")


def made(settings: Settings) -> StoreAppender:
    """A store with a login and a key, whose writer is returned."""
    prepare_folders(settings)
    (settings.secrets_dir / "collector.json").write_text('{"password": "secret"}')
    (settings.secrets_dir / "collector.json").chmod(0o600)
    settings.ca_file.write_text("certificate")
    writer = StoreAppender(settings.store_path)
    for start in (0, 1):
        arrive(writer, range(start, 2 * HALF, 2))
        writer.do(Seal(END_US))
    arrive(writer, range(7200, 7300))
    return writer


def arrive(writer: StoreAppender, seconds: range) -> None:
    """A reading of each second after noon, each in a message of its own."""
    times_us = [NOON_US + second * SECOND_US for second in seconds]
    arrivals = [
        Arrival(
            Account(SERIES.client, time_us - time_us % HOUR_US),
            [reading(time_us, float(time_us % 1000))],
        )
        for time_us in times_us
    ]
    writer.append(Batch(arrivals=arrivals))


def seconds(settings: Settings) -> list[int]:
    """The readings of a store that has nothing to complain of, each as its second after noon."""
    with looking(settings.store_path) as snapshot:
        assert snapshot.damage() == []
        assert snapshot.recount() == []
        found = values(snapshot.read(SERIES, ALL_TIME))
    return [(time_us - NOON_US) // SECOND_US for time_us, _ in found]


THEN = [*range(2 * HALF), *range(7200, 7300)]
"""What the store holds first."""


def backed_up(settings: Settings, folder: Path, wish: Wish = Wish()) -> Made:  # noqa: B008  # frozen
    """A backup more."""
    return back_up(settings, folder, wish, unheard)


def restored(settings: Settings, folder: Path, *, replace: bool = False) -> Restored:
    """The newest backup in the folder, in place."""
    return restore(settings, folder, replace=replace, progress=unheard)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def modes(folder: Path) -> dict[str, int]:
    """What is allowed with each file."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.stat().st_mode & 0o777 for path in files}


def test_restored_store_says_what_it_said_at_the_moment_of_the_backup(
    settings: Settings, writer: StoreAppender, folder: Path, elsewhere: Settings
) -> None:
    """Head and blocks, logins and keys; what came later is not in it."""
    backed_up(settings, folder)
    arrive(writer, range(7300, 7400))
    restored(elsewhere, folder)
    assert seconds(elsewhere) == THEN
    assert (elsewhere.secrets_dir / "collector.json").read_text() == '{"password": "secret"}'
    assert elsewhere.ca_file.read_text() == "certificate"
    with closing(StoreAppender(elsewhere.store_path)) as other:
        arrive(other, range(7300, 7310))
        other.do(Seal(NOW_US))
        other.do(Compact(NOW_US))
    assert seconds(elsewhere) == [*THEN, *range(7300, 7310)]


def test_secrets_are_readable_by_their_owner_alone(
    settings: Settings, folder: Path, elsewhere: Settings
) -> None:
    """In the backup nobody else gets in, and restored files have the modes they had."""
    made = backed_up(settings, folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert made.path.stat().st_mode & 0o777 == 0o700
    assert set(modes(made.path).values()) == {0o600}
    restored(elsewhere, folder)
    assert modes(elsewhere.data_dir)["secrets/collector.json"] == 0o600
    assert elsewhere.secrets_dir.stat().st_mode & 0o777 == 0o700
    before = {path: mode for path, mode in modes(settings.data_dir).items() if "-" not in path}
    assert before.items() <= modes(elsewhere.data_dir).items()


def test_files_of_the_history_come_once(settings: Settings, folder: Path) -> None:
    """The next backup shares with the last what has not changed, by links where that works."""
    first, second = backed_up(settings, folder), backed_up(settings, folder)
    count = len(first.listing.files) - 4
    assert (first.taken.linked, first.taken.copied, first.taken.kept) == (count, 0, 0)
    assert (second.taken.linked, second.taken.copied, second.taken.kept) == (0, 0, count)


def test_files_are_copied_where_links_do_not_work(
    settings: Settings,
    folder: Path,
    elsewhere: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As on another disk."""
    monkeypatch.setattr(backup_blocks, "link_file", lambda *_: False)
    made = backed_up(settings, folder)
    assert (made.taken.linked, made.taken.copied) == (0, len(made.listing.files) - 4)
    restored(elsewhere, folder)
    assert seconds(elsewhere) == THEN


def test_old_backups_and_what_only_they_need_go_last(
    settings: Settings, writer: StoreAppender, folder: Path, elsewhere: Settings
) -> None:
    """As many stay as are wanted; each of them can be restored."""
    first = backed_up(settings, folder, Wish(keep=2))
    writer.do(Compact(NOW_US))
    backed_up(settings, folder, Wish(keep=2))
    restored(elsewhere, first.path)
    assert seconds(elsewhere) == THEN
    third = backed_up(settings, folder, Wish(keep=2))
    assert third.removed == [first.path.name]
    shared = {path for path in contents(folder) if path.startswith("blocks/")}
    assert shared == {path for path in third.listing.files if path.startswith("blocks/")}


def test_backup_made_when_the_clock_was_put_back_is_the_newest(
    settings: Settings, folder: Path
) -> None:
    """A machine that wakes up in 1970 does not remove the backup it just made."""
    first = backed_up(settings, folder)
    second = back_up(settings, folder, Wish(keep=1), unheard, lambda: 0)
    assert second.removed == [first.path.name]
    assert BackupFolder(folder).names() == [second.path.name]


def test_files_swept_while_it_is_made_begin_it_again(
    settings: Settings,
    writer: StoreAppender,
    folder: Path,
    elsewhere: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Compaction replaces what the copied manifest lists, and its files are removed."""
    moments: list[int] = []

    def copy_and_compact(*arguments: object) -> None:
        copy_database(*arguments)  # type: ignore[arg-type]  # passed on
        moments.append(1)
        if len(moments) == 1:
            writer.do(Compact(NOW_US))
            writer.tend(NOW_US + 10 * GRACE_US)
            writer.tend(NOW_US + 20 * GRACE_US)

    monkeypatch.setattr(backups, "copy_database", copy_and_compact)
    backed_up(settings, folder)
    assert len(moments) == 2
    restored(elsewhere, folder)
    assert seconds(elsewhere) == THEN


def test_files_put_aside_while_it_is_made_are_found(
    settings: Settings,
    writer: StoreAppender,
    folder: Path,
    elsewhere: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What readers may need still is there for a backup too."""

    def copy_and_compact(*arguments: object) -> None:
        copy_database(*arguments)  # type: ignore[arg-type]  # passed on
        writer.do(Compact(NOW_US))

    monkeypatch.setattr(backups, "copy_database", copy_and_compact)
    monkeypatch.setattr("telemetry.store.chores.now_us", lambda: NOW_US)
    backed_up(settings, folder)
    restored(elsewhere, folder)
    assert seconds(elsewhere) == THEN


def test_file_put_aside_between_two_looks_is_found(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store may put a file aside right after it was seen where it lay."""
    look, moved = Taking._source, list[Path]()

    def look_too_early(self: Taking, block: Block) -> Path | None:
        place = look(self, block)
        if place is not None and not moved:
            aside = blocks_folder(settings.store_path) / DROPPED
            aside.mkdir(exist_ok=True)
            moved.append(place.rename(aside / place.name))
        return place

    monkeypatch.setattr(Taking, "_source", look_too_early)
    assert backed_up(settings, folder).listing.missing == {}
    assert moved


def test_damaged_file_is_left_out_and_named(
    settings: Settings, folder: Path, elsewhere: Settings
) -> None:
    """One bad file does not prevent a backup of all others; what restores it says so too."""
    broken = readings_files(settings)[0]
    flip(settings.data_dir / "blocks" / broken)
    made = backed_up(settings, folder)
    assert made.listing.missing == {broken: "its checksum is wrong"}
    restored(elsewhere, folder)
    with looking(elsewhere.store_path) as snapshot:
        assert len(values(snapshot.read(SERIES, ALL_TIME))) == HALF + 100
        assert [one.path for one in snapshot.damage()] == [broken]


def test_damaged_file_is_whole_in_a_backup_that_has_it_from_before(
    settings: Settings,
    folder: Path,
    elsewhere: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A copy that is right is not given up for one that is wrong."""
    monkeypatch.setattr(backup_blocks, "link_file", lambda *_: False)
    backed_up(settings, folder)
    flip(settings.data_dir / "blocks" / readings_files(settings)[0])
    assert backed_up(settings, folder, Wish(verify=True)).listing.missing == {}
    restored(elsewhere, folder)
    assert seconds(elsewhere) == THEN


def test_verify_replaces_what_is_wrong_in_the_backup(
    settings: Settings,
    folder: Path,
    elsewhere: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A flipped byte there is no longer there afterwards."""
    monkeypatch.setattr(backup_blocks, "link_file", lambda *_: False)
    backed_up(settings, folder)
    flip(folder / "blocks" / readings_files(settings)[0])
    assert backed_up(settings, folder).taken.copied == 0
    assert backed_up(settings, folder, Wish(verify=True)).taken.copied == 1
    restored(elsewhere, folder)
    assert seconds(elsewhere) == THEN


def readings_files(settings: Settings) -> list[str]:
    """Blocks of readings, by path."""
    with closing(open_reader(settings.store_path)) as connection:
        return [one.path for one in every_block(connection) if one.path.startswith("readings/")]


def flip(file: Path) -> None:
    """Changes a bit in the middle of a file."""
    content = file.read_bytes()
    place = len(content) // 2
    file.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])


@pytest.mark.parametrize("part", ["blocks/*/*/*.parquet", "*/culex.db", "*/secrets/*"])
@pytest.mark.parametrize("fate", ["flipped", "truncated", "removed"])
def test_backup_that_is_not_whole_is_refused_and_changes_nothing(
    settings: Settings,
    folder: Path,
    elsewhere: Settings,
    part: str,
    fate: str,
) -> None:
    """Whatever is missing or wrong, it is named, and the store that is there stays."""
    backed_up(settings, folder)
    made(elsewhere).close()
    before = contents(elsewhere.data_dir)
    file = next(folder.glob(part))
    if fate == "flipped":
        flip(file)
    elif fate == "truncated":
        file.write_bytes(file.read_bytes()[:-1])
    else:
        file.unlink()
    with pytest.raises(BackupError, match=file.name):
        restored(elsewhere, folder, replace=True)
    assert contents(elsewhere.data_dir) == before


def test_half_copied_backup_is_refused(
    settings: Settings, folder: Path, elsewhere: Settings
) -> None:
    """Without its listing, or with half of it, nobody can tell what belongs to it."""
    listing = backed_up(settings, folder).path / "backup.json"
    listing.write_bytes(listing.read_bytes()[:200])
    with pytest.raises(BackupError, match="incomplete"):
        restored(elsewhere, folder)
    listing.unlink()
    with pytest.raises(BackupError, match="incomplete"):
        restored(elsewhere, folder)


def test_listing_cannot_lead_out_of_the_data_folder(
    settings: Settings, folder: Path, elsewhere: Settings
) -> None:
    """A backup that somebody else made writes nothing anywhere else."""
    listing = backed_up(settings, folder).path / "backup.json"
    content = json.loads(listing.read_bytes())
    content["files"]["secrets/../../x"] = content["files"]["culex.db"]
    listing.write_text(json.dumps(content))
    with pytest.raises(BackupError, match="broken"):
        restored(elsewhere, folder)


@pytest.mark.parametrize(("key", "value"), [("format", 2), ("schema", SCHEMA + 1)])
def test_backup_of_a_later_version_is_refused(
    settings: Settings,
    folder: Path,
    elsewhere: Settings,
    key: str,
    value: int,
) -> None:
    """Nothing is guessed about what is not known yet."""
    listing = backed_up(settings, folder).path / "backup.json"
    listing.write_text(json.dumps(json.loads(listing.read_bytes()) | {key: value}))
    with pytest.raises(BackupError, match="later version"):
        restored(elsewhere, folder)


@pytest.mark.parametrize(
    "change", [{"schema": "6"}, {"made_us": "soon"}, {"files": {}}], ids=["schema", "time", "files"]
)
def test_listing_that_says_nothing_sensible_is_refused(
    settings: Settings, folder: Path, elsewhere: Settings, change: dict[str, object]
) -> None:
    """Whoever wrote it, nothing is restored by it."""
    listing = backed_up(settings, folder).path / "backup.json"
    listing.write_text(json.dumps(json.loads(listing.read_bytes()) | change))
    with pytest.raises(BackupError, match="broken"):
        restored(elsewhere, folder)


def test_backup_that_was_copied_without_hidden_files_is_one(
    settings: Settings, folder: Path, elsewhere: Settings
) -> None:
    """As `cp -r folder/*` copies it."""
    backed_up(settings, folder)
    (folder / ".culex-backup").unlink()
    restored(elsewhere, folder)
    assert seconds(elsewhere) == THEN


def test_backup_is_not_restored_into_its_own_folder(settings: Settings, folder: Path) -> None:
    """It would be one of the files of which the next backup knows nothing."""
    backed_up(settings, folder)
    with pytest.raises(BackupError, match="inside"):
        restored(make_settings(folder / "x"), folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="another account is needed")
def test_what_root_restores_belongs_to_whom_the_folder_belongs(
    settings: Settings, folder: Path, elsewhere: Settings
) -> None:
    """Culex runs there as that account."""
    backed_up(settings, folder)
    elsewhere.data_dir.mkdir(parents=True)
    os.chown(elsewhere.data_dir, 65534, 65534)
    restored(elsewhere, folder)
    assert {one.stat().st_uid for one in elsewhere.data_dir.rglob("*")} == {65534}


def test_store_that_is_there_is_moved_aside_only_when_told(
    settings: Settings, writer: StoreAppender, folder: Path
) -> None:
    """It lies where the answer says, whole, and can be put back."""
    backed_up(settings, folder)
    arrive(writer, range(7300, 7400))
    writer.close()
    with pytest.raises(BackupError, match="--replace"):
        restored(settings, folder)
    done = restored(settings, folder, replace=True)
    assert seconds(settings) == THEN
    assert done.replaced == settings.data_dir / "replaced-1"
    old = settings.model_copy(update={"data_dir": done.replaced})
    assert seconds(old) == [*THEN, *range(7300, 7400)]


@pytest.mark.parametrize("process", ["collector", "broker", "dashboard"])
def test_data_folder_in_use_is_not_touched(settings: Settings, folder: Path, process: str) -> None:
    """Whoever runs there has its files open."""
    backed_up(settings, folder)
    with pid_file(settings, process), pytest.raises(AlreadyRunning, match=process):
        restored(settings, folder, replace=True)


def test_folder_that_is_no_place_for_backups_is_refused(settings: Settings, tmp_path: Path) -> None:
    """Neither inside what is backed up, nor among somebody's files."""
    with pytest.raises(BackupError, match="inside"):
        backed_up(settings, settings.data_dir / "backups")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(BackupError, match="something else"):
        backed_up(settings, tmp_path / "photos")
    assert [*(tmp_path / "photos").iterdir()] == [tmp_path / "photos" / "cat.jpg"]


def test_two_backups_to_one_folder_do_not_meet(settings: Settings, folder: Path) -> None:
    """The second is told to wait."""
    with BackupFolder(folder).changing(), pytest.raises(BackupError, match="in use"):
        backed_up(settings, folder)


def test_no_room_is_told_before_anything_is_copied(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With figures."""
    monkeypatch.setattr(backups, "free_bytes", lambda _: 1000)
    with pytest.raises(BackupError, match="room for 0 MB"):
        backed_up(settings, folder)
    assert BackupFolder(folder).names() == []


def test_commands_say_what_they_did(
    settings: Settings,
    folder: Path,
    elsewhere: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One JSON object each, and an exit status."""
    monkeypatch.setenv("CULEX_DATA_DIR", str(settings.data_dir))
    run = CliRunner().invoke
    ran = run(backup, [str(folder), "--keep", "3", "--json"])
    assert ran.exit_code == 0, ran.output
    said = json.loads(ran.stdout)
    assert said["backup"] == str(folder / BackupFolder(folder).names()[0])
    assert (said["damaged"], said["removed"]) == ([], [])
    ran = run(restore_command, [str(folder), "--to", str(elsewhere.data_dir), "--json"])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["replaced"] is None
    assert seconds(elsewhere) == THEN
    ran = run(restore_command, [str(folder), "--to", str(elsewhere.data_dir)])
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert len(ran.stderr.splitlines()) == 1
    flip(blocks_folder(settings.store_path) / readings_files(settings)[0])
    shutil.rmtree(folder)
    ran = run(backup, [str(folder)])
    assert ran.exit_code == 1
    assert readings_files(settings)[0] in ran.stderr


KILLED_BACKUPS = [
    *((F.COPYING_DATABASE, passes) for passes in (0,)),
    *((F.COPIED_DATABASE, passes) for passes in (0,)),
    *((F.COPIED_SECRET, passes) for passes in (0, 2)),
    *((F.LINKED, passes) for passes in (0, 1)),
    (F.PUBLISHING, 0),
    *((F.RENAMED, passes) for passes in range(9)),
    (F.PRUNING, 0),
    *((F.REMOVED, passes) for passes in (0, 1)),
    *((F.UNLINKED, passes) for passes in range(4, 16, 3)),
]
KILLED_RESTORES = [
    *((F.RESTORED_FILE, passes) for passes in (0, 3)),
    (F.SWITCHING, 0),
    *((F.RENAMED, passes) for passes in range(9, 24)),
    *((F.SYNCED, passes) for passes in range(8)),
    (F.REMOVED, 0),
]


def killed(groups: list[tuple[Deed, Failpoint, int, Path, Path]]) -> list[int]:
    """How each ended that was to be killed there."""
    program = [sys.executable, "-m", "tests.telemetry.store.backing"]
    ran = subprocess.run(
        [*program, *(str(one) for group in groups for one in group)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
    )
    assert "Traceback" not in ran.stderr, ran.stderr
    return [int(line.split()[1]) for line in ran.stdout.splitlines() if line.startswith("ended")]


@pytest.mark.crash
def test_backup_killed_anywhere_leaves_the_last_one_usable(
    settings: Settings, writer: StoreAppender, tmp_path: Path
) -> None:
    """Then or now, whole; the next one is made as if nothing had been."""
    folder = tmp_path / "backups"
    backed_up(settings, folder)
    writer.do(Compact(NOW_US))
    arrive(writer, range(7300, 7310))
    now = [*THEN, *range(7300, 7310)]
    groups = []
    for number, (point, passes) in enumerate(KILLED_BACKUPS):
        copied = shutil.copytree(folder, tmp_path / f"{number}" / "backups")
        groups.append((Deed.BACKUP, point, passes, settings.data_dir, copied))
    ended = killed(groups)
    assert {*ended} <= {-signal.SIGKILL, 0}
    assert ended.count(-signal.SIGKILL) > len(ended) * 3 // 4
    for number, (_, _, _, _, copied) in enumerate(groups):
        elsewhere = make_settings(tmp_path / f"{number}")
        restored(elsewhere, copied)
        assert seconds(elsewhere) in (THEN, now), KILLED_BACKUPS[number]
        backed_up(settings, copied, Wish(keep=1))
        restored(elsewhere, copied, replace=True)
        assert seconds(elsewhere) == now
        assert len(BackupFolder(copied).names()) == 1
        assert not [path for path in contents(copied) if path.endswith(".tmp")]


@pytest.mark.crash
def test_restore_killed_anywhere_leaves_the_old_or_the_new(
    settings: Settings, tmp_path: Path
) -> None:
    """Whoever looks next finds one of them, with its own logins, and can restore again."""
    folder = tmp_path / "backups"
    backed_up(settings, folder)
    now = [*THEN, *range(7300, 7310)]
    groups, targets = [], []
    for number, (point, passes) in enumerate(KILLED_RESTORES):
        target = make_settings(tmp_path / f"{number}")
        with closing(made(target)) as other:
            arrive(other, range(7300, 7310))
        (target.secrets_dir / "collector.json").write_text("{}")
        targets.append(target)
        groups.append((Deed.RESTORE, point, passes, target.data_dir, folder))
    ended = killed(groups)
    assert {*ended} <= {-signal.SIGKILL, 0}
    assert ended.count(-signal.SIGKILL) > len(ended) * 3 // 4
    found = []
    for target in targets:
        finish_switch(target.data_dir)
        login = (target.secrets_dir / "collector.json").read_text()
        found.append((seconds(target), login))
        assert found[-1] in ((THEN, '{"password": "secret"}'), (now, "{}"))
        restored(target, folder, replace=True)
        assert seconds(target) == THEN
        assert not (target.data_dir / ".incoming").exists()
    assert len({login for _, login in found}) == 2
